import type { Context } from "../context.ts";
import { sourceKey } from "../domain/object-keys.ts";

/** How long a worker can read a source by an address, in seconds. */
function validSeconds({ sourceUrlSeconds, storage }: Pick<Context, "sourceUrlSeconds" | "storage">): number {
  return Math.min(sourceUrlSeconds, storage.signedSeconds);
}

/** An address to read the source of a video by. Work that takes longer gets others by heartbeats. */
export function signSource(context: Pick<Context, "sourceUrlSeconds" | "storage">, videoId: string): Promise<string> {
  return context.storage.sign(sourceKey(videoId), { method: "GET", expiresInSeconds: validSeconds(context) });
}

/** Heartbeats of so many seconds bring the new address, in case that the answer to the first is lost. */
const windowSeconds = 10;

/**
 * Whether a heartbeat should bring a new address of the source. Nobody remembers what a worker was given, since another replica may have given it: it gets a new one whenever a
 * quarter of the time that one is good for has passed, counted from the beginning of its lease.
 */
export function isNewAddressDue(
  context: Pick<Context, "sourceUrlSeconds" | "storage">,
  leasedForSeconds: number,
): boolean {
  const quarter = validSeconds(context) / 4;
  return leasedForSeconds >= quarter && leasedForSeconds % quarter < windowSeconds;
}
