import type { ChunkResult, ImagesResult, TrackResult } from "@kinora/media";
import { ChunkResultSchema, ImagesResultSchema, TrackResultSchema } from "@kinora/proto-encoder";
import { fromStored } from "../messages/stored-json.ts";
import type { TaskOutput } from "../store/task-result.store.ts";

/** What the tasks of an encode have made so far, read from what is stored. */
export type StreamParts = {
  /** Chunks that are done, in their order; where encoder families share one, once for each. */
  chunks: { index: number; result: ChunkResult }[];
  /** Tracks of sound, whole or as far as they have been brought. */
  audio: { track: TrackResult; whole: boolean }[];
  images: ImagesResult | undefined;
};

/** Reads outputs. */
export function readOutputs(outputs: readonly TaskOutput[]): StreamParts {
  const parts: StreamParts = { chunks: [], audio: [], images: undefined };
  for (const { kind, chunk, result, delivered } of outputs) {
    if (kind === "encode_chunk" && chunk !== undefined) {
      const read = fromStored(ChunkResultSchema, result);
      if (read) parts.chunks.push({ index: chunk, result: read });
    } else if (kind === "audio") {
      const whole = fromStored(TrackResultSchema, result);
      const track = whole ?? longest(delivered.map((one) => fromStored(TrackResultSchema, one.track)));
      if (track) parts.audio.push({ track, whole: whole !== undefined });
    } else if (kind === "images") {
      parts.images = fromStored(ImagesResultSchema, result);
    }
  }
  return parts;
}

/** What a failed attempt had brought stays to be played until another has brought as much. */
function longest(tracks: readonly (TrackResult | undefined)[]): TrackResult | undefined {
  return tracks.reduce(
    (best, track) => ((track?.segments.length ?? 0) > (best?.segments.length ?? 0) ? track : best),
    undefined,
  );
}
