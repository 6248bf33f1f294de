import type { ChunkResult, EncodePlan, Quality, StreamResult, TrackResult } from "@kinora/media";
import { evenEnds } from "./even-ends.ts";
import type { StreamParts } from "./read-outputs.ts";

/** A whole stream, or what is wrong with its parts, in a sentence. */
export type Assembly = { result: StreamResult } | (Fault & { result?: undefined });

/** `segments`: those at fault, counted from 1, if making their chunks again may help. */
type Fault = { fault: string; segments?: number[] };

/** Puts a stream together from all its parts. Pure. */
export function assembleStream(plan: EncodePlan, parts: StreamParts): Assembly {
  const video: TrackResult[] = [];
  for (const rendition of plan.video?.renditions ?? []) {
    const own = partsOf(parts, rendition.name);
    const wanted = plan.chunks?.length ?? 0;
    if (own.length !== wanted) return { fault: `${rendition.name} has ${own.length} of ${wanted} chunks.` };
    const joined = joinParts(own);
    if (joined.track === undefined) return joined;
    video.push(joined.track);
  }
  if (video.length === 0) return { fault: "there is no rendition." };
  const audioTracks: TrackResult[] = [];
  for (const { name } of plan.audioTracks ?? []) {
    const found = parts.audio.find(({ track }) => track.name === (name || "audio"));
    if (found?.whole !== true) return { fault: `the sound track ${name || "audio"} is missing.` };
    audioTracks.push(found.track);
  }
  return {
    result: {
      video,
      audio: audioTracks[0],
      audioTracks,
      poster: parts.images?.poster ?? "",
      storyboard: parts.images?.storyboard,
    },
  };
}

/** As much of a stream as can be played without a gap; undefined until every track has a beginning. Pure. */
export function growingStream(plan: EncodePlan, parts: StreamParts): StreamResult | undefined {
  const video: TrackResult[] = [];
  for (const rendition of plan.video?.renditions ?? []) {
    const own = partsOf(parts, rendition.name);
    const gap = own.findIndex((part, position) => part.index !== position);
    const { track } = joinParts(gap < 0 ? own : own.slice(0, gap));
    if (track === undefined) return undefined;
    video.push(track);
  }
  if (video.length === 0) return undefined;
  const audioTracks: TrackResult[] = [];
  for (const { name } of plan.audioTracks ?? []) {
    const found = parts.audio.find(({ track }) => track.name === (name || "audio"));
    if (found === undefined || found.track.segments.length === 0) return undefined;
    audioTracks.push(found.track);
  }
  const even = evenEnds([...video, ...audioTracks]);
  const sounds = even.slice(video.length);
  return {
    video: even.slice(0, video.length),
    audio: sounds[0],
    audioTracks: sounds,
    poster: parts.images?.poster ?? "",
    storyboard: parts.images?.storyboard,
  };
}

type Part = { index: number; chunk: ChunkResult; track: TrackResult };

function partsOf(parts: StreamParts, name: string): Part[] {
  return parts.chunks.flatMap(({ index, result }) => {
    const track = result.renditions.find((rendition) => rendition.name === name);
    return track ? [{ index, chunk: result, track }] : [];
  });
}

/** One track of the parts of its chunks, each of which must begin where the one before ends. */
function joinParts(parts: readonly Part[]): { track: TrackResult } | (Fault & { track?: undefined }) {
  const [first] = parts;
  if (first === undefined) return { fault: "there is no chunk." };
  const track: TrackResult = { ...first.track, frames: 0, segments: [], quality: undefined };
  let end: bigint | undefined;
  for (const { index, chunk, track: part } of parts) {
    const start = startOf(chunk, part);
    if (end !== undefined && start !== end) {
      return {
        fault: `chunk ${index + 1} of ${track.name} begins at ${start} instead of ${end} (1/${track.timescale} s).`,
        segments: [track.segments.length, track.segments.length + 1],
      };
    }
    end = start + BigInt(part.segments.reduce((sum, segment) => sum + segment.duration, 0));
    track.segments = track.segments.concat(part.segments);
    track.frames += part.frames;
    track.quality = addQuality(track.quality, part.quality);
  }
  return { track: { ...track, start: Number(startOf(first.chunk, first.track)) } };
}

/** Decode time of a chunk's first sample; results that don't state the chunk's own have it with the track. */
function startOf(chunk: ChunkResult, track: TrackResult): bigint {
  return chunk.start !== undefined && chunk.start !== 0n ? chunk.start : BigInt(track.start);
}

/** The quality of two parts together. */
export function addQuality(one: Quality | undefined, other: Quality | undefined): Quality | undefined {
  if (!one || !other) return one ?? other;
  const vmafSum = one.vmafSum !== undefined && other.vmafSum !== undefined ? one.vmafSum + other.vmafSum : undefined;
  return {
    frames: one.frames + other.frames,
    xpsnrSum: one.xpsnrSum + other.xpsnrSum,
    xpsnrMin: Math.min(one.xpsnrMin, other.xpsnrMin),
    ssimSum: one.ssimSum + other.ssimSum,
    ssimMin: Math.min(one.ssimMin, other.ssimMin),
    ...(vmafSum === undefined ? {} : { vmafSum }),
  };
}
