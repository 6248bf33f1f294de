import { integer, oneOf, optional, secret } from "@kinora/service";
import { storageUrl } from "@kinora/storage";
import { playbackFrom } from "./playback/segment-source.ts";

/** What whoever runs the encoder service lets people set; spread it into the process's own spec. */
export const encoderSettings = {
  /** The bucket for sources and streams; without it they are in a folder below KINORA_DATA. */
  STORAGE_URL: optional(storageUrl),
  /** Where players get segments: `encoder`, `storage` (a redirect to the bucket), or an address behind which the bucket is. */
  PLAYBACK_FROM: optional(playbackFrom),
  /** Seals the secrets of webhooks in the database; all replicas share it. With the embedded database, the one below KINORA_DATA does. */
  SEALING_SECRET: optional(secret()),
  /** Where people's webhooks may go: `public`, by https to the public internet, or `any`. */
  WEBHOOK_TARGETS: oneOf(["public", "any"], { default: "public" }),
  /** How long encodes wait for a GPU's workers that are gone before they begin anew on the CPU, in seconds; 0 for ever. */
  GPU_PATIENCE: integer({ min: 0, max: 30 * 24 * 3600, default: 600 }),
};
