/** The encoder service: videos, their uploads and encodes, leases for workers, playback. */
export type { EncoderService, EncoderServiceDeps } from "./deps.ts";
export { createEncoderService } from "./encoder-service.ts";
export { migrations } from "./migrations.ts";
export { encoderSettings } from "./settings.ts";
