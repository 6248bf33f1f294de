/** What every process needs: configuration, logging, credentials, start and end. */
export type { Logger } from "@kinora/rpc";
export { announce } from "./announce.ts";
export {
  type AuthenticatorOptions,
  createAuthenticator,
  tokenAudience,
  tokenIssuer,
} from "./authenticator.ts";
export { commonSettings, configuredLogger, serviceSettings } from "./common-settings.ts";
export { ConfigError, type ConfigOf, type ConfigSpec, type Env, readConfig, type Setting } from "./config.ts";
export { integer, oneOf, optional, path, port, secret, text, url } from "./config-settings.ts";
export { prepareDataDir } from "./data-dir.ts";
export { discoveryRoute } from "./discovery-route.ts";
export { localCredential } from "./local-credential.ts";
export { createLogger, type LoggerOptions, logLevels } from "./logger.ts";
export { remoteKeys } from "./remote-keys.ts";
export { type Program, runMain } from "./run-main.ts";
export { serviceAddress, webAddress } from "./service-address.ts";
export { StartupError } from "./startup-error.ts";
export { explainSystemError } from "./system-error.ts";
export { startTelemetry, type Telemetry } from "./telemetry/telemetry.ts";
export { type TelemetryConfig, telemetrySettings } from "./telemetry/telemetry-settings.ts";
