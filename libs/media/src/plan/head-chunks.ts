import type { ChunkPlan, Rational, VideoTrack } from "../types.ts";

/**
 * Segments of the head's chunks. The first is as short as can be, so that the stream begins early; those behind it keep workers busy while the source is analysed. Several slots begin two at once, and each has only
 * a part of a machine: whoever watches should not wait for two segments of it.
 */
const firstLengths = (slots: number) => (slots > 1 ? [1, 1, 1] : [1, 2]);

/**
 * Seconds of a source for each segment more. To analyse half an hour takes 17 s of a core, and twice as long beside other work; two cores make some fifteen segments meanwhile (measured on one machine, `docs/media-tasks.md`).
 */
const secondsRead = 120;
/** Segments of the chunks behind the first ones, how many of them a few slots have at most, and how many slots those are. */
const further = { segments: 2, chunks: 8, slots: 4 };
/** The part of a source that a head may be: its chunks are cut blindly, wherever key frames and scenes are. */
const mostOfSource = 0.25;

/** What keeps slots busy for as long as the analysis takes, which is longer the longer the source. */
function lengthsFor(slots: number, durationSeconds: number, segmentSeconds: number): number[] {
  const first = firstLengths(slots);
  if (!Number.isFinite(durationSeconds)) return first;
  const wanted = Math.min(further.chunks, Math.floor(durationSeconds / secondsRead / further.segments));
  const room = (durationSeconds * mostOfSource) / segmentSeconds - first.reduce((sum, length) => sum + length, 0);
  const most = Math.max(0, Math.floor(room / further.segments));
  const many = Math.min(most, Math.ceil(wanted * Math.max(1, slots / further.slots)));
  return [...first, ...Array<number>(many).fill(further.segments)];
}

/**
 * The chunks at the beginning of a source, from what its headers say. None where they wouldn't hold: at a variable frame rate, where parts can't be found by
 * their time, and in short sources, which are analysed in no time.
 */
export function headChunks(
  { video, frameRate, durationSeconds }: { video: VideoTrack; frameRate: Rational; durationSeconds: number },
  { segmentSeconds, slots }: { segmentSeconds: number; slots: number },
): ChunkPlan[] {
  const lengths = lengthsFor(slots, durationSeconds, segmentSeconds);
  const { timeBase, startPts = 0n } = video;
  const segments = lengths.reduce((sum, length) => sum + length, 0);
  if (!video.seekable || video.variableFrameRate || !timeBase || !(durationSeconds >= (segments + 2) * segmentSeconds))
    return [];
  const framesPerSegment = Math.max(1, Math.round((segmentSeconds * frameRate.num) / frameRate.den));
  // Half a frame early, so that time stamps which are rounded to a coarse time base fall on the right side.
  const ptsAt = (segment: number) => startPts + ticks(segment * framesPerSegment - 0.5, frameRate, timeBase);
  let segment = 0;
  return lengths.map((length, index) => {
    const first = segment;
    segment += length;
    return {
      index,
      startPts: first === 0 ? startPts : ptsAt(first),
      endPts: ptsAt(segment),
      segmentPts: Array.from({ length }, (_, at) => (first + at === 0 ? startPts : ptsAt(first + at))),
      firstSegment: first + 1,
      frameCount: 0,
      firstFrame: 0,
      sceneChange: false,
    };
  });
}

function ticks(frames: number, frameRate: Rational, timeBase: Rational): bigint {
  return BigInt(Math.round((frames * frameRate.den * timeBase.den) / (frameRate.num * timeBase.num)));
}
