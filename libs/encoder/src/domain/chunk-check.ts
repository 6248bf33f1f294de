import type { ChunkPlan, ChunkResult, RenditionPlan, TrackResult } from "@kinora/media";

/** A chunk's task, as far as its result must agree with it. */
export type ChunkWork = {
  chunk?: ChunkPlan | undefined;
  video?: { renditions: readonly RenditionPlan[] } | undefined;
};

/** What is wrong with a chunk's result, in a sentence; undefined if it is what its task asked for. Says nothing of the files themselves. */
export function chunkFault({ chunk, video }: ChunkWork, result: ChunkResult): string | undefined {
  if (!chunk || !video) return "the task names no chunk.";
  if (result.index !== chunk.index) return `it is chunk ${result.index + 1} instead of ${chunk.index + 1}.`;
  const text = (one: { name: string; width: number; height: number }) => `${one.name} (${one.width}×${one.height})`;
  const planned = video.renditions.map(text).join(", ");
  const made = result.renditions.map(text).join(", ");
  if (planned !== made) return `the renditions are ${made || "none"} instead of ${planned}.`;
  if (chunk.frameCount > 0 && Math.abs(result.frames - chunk.frameCount) > tolerance(chunk)) {
    return `it has ${result.frames} frames instead of ${chunk.frameCount}.`;
  }
  const [first] = result.renditions;
  for (const track of result.renditions) {
    const fault = trackFault(track, result, chunk, first ?? track);
    if (fault !== undefined) return `${track.name} ${fault}`;
  }
  return undefined;
}

function trackFault(track: TrackResult, result: ChunkResult, chunk: ChunkPlan, first: TrackResult): string | undefined {
  if (track.frames !== result.frames) return `has ${track.frames} frames of ${result.frames}.`;
  if (track.codecs === "" || track.timescale === 0 || track.initBytes === 0) return "is incomplete.";
  if (track.initSha256?.length !== 32) return "comes without the hash of its configuration.";
  // The last chunk's times are guesses where the source has none.
  if (chunk.endPts !== undefined && track.segments.length !== chunk.segmentPts.length) {
    return `has ${track.segments.length} segments instead of ${chunk.segmentPts.length}.`;
  }
  if (track.segments.length === 0) return "has no segments.";
  const empty = track.segments.findIndex((segment) => segment.duration === 0 || segment.bytes === 0);
  if (empty >= 0) return `has an empty segment ${chunk.firstSegment + empty}.`;
  if (track.segments.map(durationIn(track)).join() !== first.segments.map(durationIn(first)).join()) {
    return `begins its segments at other times than ${first.name}.`;
  }
  return undefined;
}

const durationIn = (track: TrackResult) => (segment: { duration: number }) =>
  Math.round((segment.duration * 100_000) / track.timescale);

/** A damaged source has frames that nobody can decode. The verification says how many are missing in all. */
function tolerance(chunk: ChunkPlan): number {
  return Math.max(1, Math.ceil(chunk.frameCount * 0.1));
}
