/** What every process needs: configuration, logging, credentials, start and end. */
export type { Logger } from "@kinora/rpc";
export { announce } from "./announce.ts";
export { createKeySecret } from "./api-key.ts";
export { commonSettings, configuredLogger, serviceSettings } from "./common-settings.ts";
export { ConfigError, type ConfigOf, type ConfigSpec, type Env, readConfig, type Setting } from "./config.ts";
export { integer, networks, oneOf, optional, path, port, secret, text, url } from "./config-settings.ts";
export { contractsRoute } from "./contracts-route.ts";
export { prepareDataDir } from "./data-dir.ts";
export { discoverUserService } from "./discover-user-service.ts";
export { discoveryRoute } from "./discovery-route.ts";
export { filesRoute } from "./files-route.ts";
export { type LocalCredential, localCredential, readLocalCredential } from "./local-credential.ts";
export { createLogger, type LoggerOptions, logLevels } from "./logger.ts";
export { type Program, runMain } from "./run-main.ts";
export { createSeal, type Seal } from "./seal.ts";
export { serviceAddress, webAddress } from "./service-address.ts";
export { sharedTokens } from "./shared-tokens.ts";
export { StartupError } from "./startup-error.ts";
export { explainSystemError } from "./system-error.ts";
export { startTelemetry, type Telemetry } from "./telemetry/telemetry.ts";
export { type TelemetryConfig, telemetrySettings } from "./telemetry/telemetry-settings.ts";
export {
  type AccessTokenClaims,
  commonAudience,
  tokenAlgorithm,
  tokenIssuer,
  tokenType,
} from "./tokens/access-token.ts";
export { type AuthenticatorOptions, createAuthenticator } from "./tokens/authenticator.ts";
export { createKeyCredential, type KeyCredential, type KeyCredentialOptions } from "./tokens/key-credential.ts";
export { fixedKeys, type KeySource, type PublicJwk } from "./tokens/key-source.ts";
export { type RemoteKeys, type RemoteKeysOptions, remoteKeys } from "./tokens/remote-keys.ts";
export { type VerifiedToken, verifyAccessToken } from "./tokens/verify-access-token.ts";
