import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { EncodePlan } from "@kinora/media";
import type { QuotaService } from "@kinora/proto-user";
import { DomainError } from "@kinora/rpc";

type Quota = Client<typeof QuotaService>;

/** What is to be stored. */
export type Wanted = { itemId: string; ownerId: string; bytes: number };

/** Long enough for an answer, and no longer than somebody waits who sends a video. */
const patienceMs = 3_000;

/**
 * Sets storage aside for a source before it is sent. Throws `exhausted` where there isn't enough, in words for who sends it. While the user service is away videos are taken: they count
 * as soon as it can be told of them. If nothing comes of the video, what was set aside lapses or goes with it.
 */
export async function reserveForSource(quota: Quota, wanted: Wanted, signal: AbortSignal): Promise<void> {
  try {
    await reserve(quota, wanted, signal, patienceMs);
  } catch (error) {
    signal.throwIfAborted();
    const { code, rawMessage } = ConnectError.from(error);
    if (code === Code.ResourceExhausted) throw new DomainError("exhausted", rawMessage);
  }
}

/** Sets storage aside for a stream; the answer is why there isn't enough. Rejects where the user service can't be asked. */
export async function reserveForStream(quota: Quota, wanted: Wanted, signal: AbortSignal): Promise<string | undefined> {
  try {
    await reserve(quota, wanted, signal, 10_000);
    return undefined;
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    if (code === Code.ResourceExhausted) return rawMessage;
    // A release of the user service before storage was counted.
    if (code === Code.Unimplemented) return undefined;
    throw error;
  }
}

async function reserve(quota: Quota, wanted: Wanted, signal: AbortSignal, timeoutMs: number): Promise<void> {
  const { itemId, ownerId: userId, bytes } = wanted;
  if (bytes > 0) await quota.reserveStorage({ itemId, userId, bytes: BigInt(bytes) }, { signal, timeoutMs });
}

/** Bytes of a stream where each rendition has its highest bit rate all the time. What is unknown yet (a ladder that waits for its trials) counts nothing. */
export function mostStreamBytes({ video, audio, audioTracks = [] }: EncodePlan, seconds: number): number {
  const sound = audioTracks.length > 0 ? audioTracks : audio ? [audio] : [];
  const bits =
    (video?.renditions ?? []).reduce((sum, { maxBitrate }) => sum + maxBitrate, 0) +
    sound.reduce((sum, { bitrate }) => sum + bitrate, 0);
  return Math.ceil((bits * seconds) / 8);
}
