/** OpenTelemetry for calls. Apart from the rest, so that whoever doesn't use it doesn't load it. */

export { randomHex } from "../call/random-hex.ts";
export {
  type CallDurations,
  type DurationSeries,
  durationBuckets,
  durationInstruments,
} from "./call-durations.ts";
export { createContextManager } from "./context-manager.ts";
export { type CallTelemetryOptions, createCallTelemetry, instrumentationScope } from "./create-call-telemetry.ts";
