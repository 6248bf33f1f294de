import type { EncoderService, EncoderServiceDeps } from "./deps.ts";

/** Starts the encoder service. */
export async function createEncoderService(_deps: EncoderServiceDeps): Promise<EncoderService> {
  throw new Error("not there yet");
}
