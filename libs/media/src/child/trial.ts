import type { ByteSource } from "../source/byte-source.ts";
import { TaskError } from "../task-error.ts";
import type { ChunkPlan, Quality, RatePoint, TrialResult, VideoPlan } from "../types.ts";
import { encodePart } from "./encode-chunk.ts";
import type { ProgressListener } from "./perform.ts";

/** Encodes each sample in each rendition of the plan, measures it at the size of the largest one, and keeps nothing but the figures. */
export async function runTrial(options: {
  source: ByteSource;
  video: VideoPlan;
  samples: ChunkPlan[];
  folder: string;
  threads: number;
  onProgress: ProgressListener;
}): Promise<TrialResult> {
  const { source, video, samples, folder, threads, onProgress } = options;
  const [largest] = [...video.renditions].sort((one, other) => other.width * other.height - one.width * one.height);
  if (!largest || samples.length === 0) throw new TaskError("machine", "The trial names nothing to try.");
  const reference = { width: largest.width, height: largest.height };
  const totals = video.renditions.map(() => ({ bytes: 0, seconds: 0, quality: undefined as Quality | undefined }));
  for (const [index, sample] of samples.entries()) {
    const { tracks } = await encodePart({
      source,
      chunk: sample,
      isFirst: index === 0 && sample.startPts <= (video.startPts ?? 0n),
      video,
      delivery: nowhere,
      folder,
      threads,
      qualityStride: 1,
      reference,
      onProgress: ({ fraction, ...rest }) => onProgress({ ...rest, fraction: (index + fraction) / samples.length }),
    });
    for (const [way, track] of tracks.entries()) {
      const total = totals[way];
      if (!total) continue;
      for (const { bytes, duration } of track.segments) {
        total.bytes += bytes;
        total.seconds += duration / track.timescale;
      }
      total.quality = addQuality(total.quality, track.quality);
    }
    onProgress({ frames: 0, fraction: (index + 1) / samples.length });
  }
  const points = video.renditions.map(({ width, height, crf }, way): RatePoint => {
    const { bytes = 0, seconds = 0, quality } = totals[way] ?? {};
    return { width, height, crf, bitrate: seconds > 0 ? (bytes * 8) / seconds : 0, quality };
  });
  return { points };
}

/** What is made isn't kept. */
const nowhere = { deliver: async () => {}, taken: () => {}, settled: async () => {} };

function addQuality(one: Quality | undefined, other: Quality | undefined): Quality | undefined {
  if (!one || !other) return one ?? other;
  return {
    frames: one.frames + other.frames,
    xpsnrSum: one.xpsnrSum + other.xpsnrSum,
    xpsnrMin: Math.min(one.xpsnrMin, other.xpsnrMin),
    ssimSum: one.ssimSum + other.ssimSum,
    ssimMin: Math.min(one.ssimMin, other.ssimMin),
  };
}
