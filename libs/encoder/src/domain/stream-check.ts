import type { EncodePlan, StreamResult, TrackResult } from "@kinora/media";

const name = /^[A-Za-z0-9_-]{1,64}$/;
const posterPath = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,100}$/;

/** What is wrong with a result, in a sentence; undefined if it is what the plan asked for. Says nothing of the files themselves. */
export function streamFault(plan: EncodePlan, result: StreamResult): string | undefined {
  return (
    namesFault(result) ??
    ladderFault(plan, result) ??
    audioFault(plan, result) ??
    first(tracksOf(result), trackFault) ??
    framesFault(plan, result) ??
    alignmentFault(result)
  );
}

/** Every track of a result. */
export function tracksOf(result: StreamResult): TrackResult[] {
  return [...result.video, ...(result.audio ? [result.audio] : [])];
}

/** The files of a result and their lengths in bytes; the poster's isn't stated, so it is undefined. */
export function filesOf(result: StreamResult): Map<string, number | undefined> {
  const files = new Map<string, number | undefined>();
  for (const track of tracksOf(result)) {
    files.set(`${track.name}/init.mp4`, track.initBytes);
    track.segments.forEach((segment, index) => {
      files.set(`${track.name}/${index + 1}.m4s`, segment.bytes);
    });
  }
  if (result.poster !== "") files.set(result.poster, undefined);
  return files;
}

/** Compares a result's files with those that are there (path to bytes); the first one that is missing or of another length, in a sentence. */
export function filesFault(result: StreamResult, present: ReadonlyMap<string, number>): string | undefined {
  for (const [path, bytes] of filesOf(result)) {
    const found = present.get(path);
    if (found === undefined) return `${path} was never uploaded.`;
    if (found === 0) return `${path} is empty.`;
    if (bytes !== undefined && found !== bytes) return `${path} has ${found} bytes instead of ${bytes}.`;
  }
  return undefined;
}

function namesFault(result: StreamResult): string | undefined {
  const names = tracksOf(result).map((track) => track.name);
  const bad = names.find((text) => !name.test(text));
  if (bad !== undefined) return `${JSON.stringify(bad)} is no name for a track.`;
  if (new Set(names).size !== names.length) return "Two tracks have the same name.";
  if (result.poster !== "" && !posterPath.test(result.poster)) {
    return `${JSON.stringify(result.poster)} is no name for a poster.`;
  }
  return undefined;
}

function ladderFault(plan: EncodePlan, result: StreamResult): string | undefined {
  const text = (track: { name: string; width: number; height: number }) =>
    `${track.name} (${track.width}×${track.height})`;
  const planned = (plan.video?.renditions ?? []).map(text).join(", ");
  const made = result.video.map(text).join(", ");
  return planned === made ? undefined : `The renditions are ${made || "none"} instead of ${planned || "none"}.`;
}

function audioFault(plan: EncodePlan, result: StreamResult): string | undefined {
  const { audio } = result;
  if ((plan.audio === undefined) !== (audio === undefined)) {
    return audio === undefined ? "The audio track is missing." : "There is an audio track that wasn't asked for.";
  }
  if (plan.audio && audio && (plan.audio.sampleRate !== audio.sampleRate || plan.audio.channels !== audio.channels)) {
    return `The audio has ${audio.channels} channels at ${audio.sampleRate} Hz instead of ${plan.audio.channels} at ${plan.audio.sampleRate}.`;
  }
  return undefined;
}

function trackFault(track: TrackResult): string | undefined {
  if (track.codecs === "" || track.timescale === 0 || track.initBytes === 0 || track.frames === 0) {
    return `Track ${track.name} is incomplete.`;
  }
  if (track.segments.length === 0) return `Track ${track.name} has no segments.`;
  const empty = track.segments.findIndex((segment) => segment.duration === 0 || segment.bytes === 0);
  return empty < 0 ? undefined : `Segment ${empty + 1} of ${track.name} is empty.`;
}

/**
 * Every rendition must have the same frames: those that the decoder gave. They are as many as planned, but for damaged sources, where the worker takes what can be
 * decoded if it is nearly all.
 */
function framesFault(plan: EncodePlan, result: StreamResult): string | undefined {
  const planned = plan.video?.frameCount ?? 0;
  const decoded = result.video[0]?.frames ?? 0;
  const few = decoded < planned * 0.9 ? result.video[0] : undefined;
  const wrong = few ?? result.video.find((track) => track.frames !== decoded);
  return wrong && `${wrong.name} has ${wrong.frames} frames instead of ${few ? planned : decoded}.`;
}

/** Every rendition must begin its segments at the same times, or players could not switch between them. */
function alignmentFault(result: StreamResult): string | undefined {
  const [reference, ...others] = result.video;
  if (reference === undefined) return undefined;
  const expected = boundaries(reference);
  return first(others, (track) => {
    const found = boundaries(track);
    if (found.length !== expected.length) {
      return `${track.name} has ${found.length - 1} segments, but ${reference.name} has ${expected.length - 1}.`;
    }
    const tolerance = 1 / reference.timescale + 1 / track.timescale;
    const apart = found.findIndex((time, index) => Math.abs(time - (expected[index] ?? Number.NaN)) > tolerance);
    return apart < 0
      ? undefined
      : `Segment ${apart + 1} of ${track.name} doesn't begin where that of ${reference.name} does.`;
  });
}

/** Where a track's segments begin and where the last one ends, in seconds. */
function boundaries(track: TrackResult): number[] {
  let time = track.start;
  const times = [time / track.timescale];
  for (const { duration } of track.segments) {
    time += duration;
    times.push(time / track.timescale);
  }
  return times;
}

function first<T>(items: readonly T[], fault: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = fault(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
