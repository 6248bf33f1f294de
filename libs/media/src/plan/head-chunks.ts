import type { ChunkPlan, Rational, VideoTrack } from "../types.ts";

/**
 * Segments of the head's chunks. The first is as short as can be, so that the stream begins early; those behind it keep workers busy while the source is analysed. Several slots begin two at once, and each has only
 * a part of a machine: whoever watches should not wait for two segments of it.
 */
const lengthsFor = (slots: number) => (slots > 1 ? [1, 1, 1] : [1, 2]);

/**
 * The chunks at the beginning of a source, from what its headers say. None where they wouldn't hold: at a variable frame rate, where parts can't be found by
 * their time, and in short sources, which are analysed in no time.
 */
export function headChunks(
  { video, frameRate, durationSeconds }: { video: VideoTrack; frameRate: Rational; durationSeconds: number },
  { segmentSeconds, slots }: { segmentSeconds: number; slots: number },
): ChunkPlan[] {
  const lengths = lengthsFor(slots);
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
