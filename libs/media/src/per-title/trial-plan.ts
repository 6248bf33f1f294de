import type { ChunkPlan, RenditionPlan, VideoPlan } from "../types.ts";

/** Samples, and their length in seconds: enough for the easy and the difficult parts of most videos, and little beside the encode itself. */
const samples = 3;
const sampleSeconds = 2;
/** Distances from the fixed ladder's CRF: better than it, and down to where pictures get ugly. */
const steps = { h264: [-3, 2, 7, 12], hevc: [-3, 2, 7, 12], av1: [-8, 3, 13, 21] };
/** Sizes below these are tried with what a small rung might have, and no more. */
const fullSizes = 2;

/** What to try for a video: every size of the fixed ladder at several CRFs, without caps, on three short samples. Shorter videos are tried as a whole. */
export function planTrial(options: {
  video: VideoPlan;
  fixed: RenditionPlan[];
  durationSeconds: number;
  /** Where decoding can begin, if known: samples begin there. */
  keyframePts?: bigint[];
}): { video: VideoPlan; samples: ChunkPlan[] } {
  const { video, fixed } = options;
  return { video: { ...video, renditions: fixed.flatMap(waysOf) }, samples: chooseSamples(options) };
}

function waysOf(rendition: RenditionPlan, index: number): RenditionPlan[] {
  const codec = rendition.codec === "hevc" || rendition.codec === "av1" ? rendition.codec : "h264";
  const offsets = index < fullSizes ? steps[codec] : steps[codec].slice(0, -1);
  return offsets.map((offset) => {
    const crf = rendition.crf + offset;
    return { ...rendition, name: `${rendition.name}-${crf}`, crf, maxBitrate: 0, bufferBits: 0 };
  });
}

function chooseSamples({ video, durationSeconds, keyframePts = [] }: Parameters<typeof planTrial>[0]): ChunkPlan[] {
  const { num, den } = video.timeBase ?? { num: 1, den: 1000 };
  const toPts = (seconds: number) => (video.startPts ?? 0n) + BigInt(Math.round((seconds * den) / num));
  const isShort = durationSeconds <= samples * sampleSeconds * 1.5;
  const starts = isShort
    ? [0]
    : Array.from({ length: samples }, (_, index) => ((index + 0.5) * durationSeconds) / samples - sampleSeconds / 2);
  return starts.map((seconds, index): ChunkPlan => {
    const wanted = toPts(seconds);
    const startPts = isShort ? wanted : (keyframePts.findLast((pts) => pts <= wanted) ?? wanted);
    const length = toPts(isShort ? durationSeconds : sampleSeconds) - toPts(0);
    return {
      index,
      startPts,
      ...(isShort ? {} : { endPts: startPts + length }),
      segmentPts: [startPts],
      firstSegment: 1,
      frameCount: 0,
      firstFrame: 0,
      sceneChange: false,
    };
  });
}
