import {
  bdRate,
  type ChunkPlan,
  type CurvePoint,
  chooseLadder,
  meanQuality,
  planTrial,
  type RenditionPlan,
} from "@kinora/media";
import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { formatNumber } from "../../harness/table.ts";
import { atLeast } from "../../harness/target.ts";
import { type Prepared, prepare, run, scratch } from "../kinora-encode.ts";
import { mainSource, realSources, type Source } from "../sources.ts";

/** Seconds of each place at which the two ladders are compared; they aren't those of the trials. */
const placeSeconds = 3;
const places = [0.1, 0.3, 0.5, 0.7, 0.9];

/** A ladder chosen for each video against the fixed one. Both are encoded as they would be, and measured at the source's size. */
export const perTitle: Part = {
  name: "per-title",
  about: "bits at equal quality (XPSNR) of a ladder chosen for each video, against the fixed one",
  async run(conditions: Conditions): Promise<Outcome> {
    const { signal, quick } = conditions;
    const sources = quick ? [mainSource(true)] : realSources();
    const results = [];
    for (const source of sources) {
      const result = await compare(source, quick, signal);
      results.push(result);
      const row = (ladder: string, point: LadderPoint) => [
        ladder,
        `${point.width}×${point.height}`,
        formatNumber(point.crf),
        formatNumber(point.bitrate / 1000),
        point.quality.toFixed(2),
      ];
      conditions.show({
        title: `${source.name}: ${formatNumber(result.fewer)} % fewer bits at equal XPSNR. ${result.reason}`,
        columns: ["ladder", "size", "CRF", "kbit/s", "XPSNR"],
        rows: [
          ...result.fixed.map((point) => row("fixed", point)),
          ...result.chosen.map((point) => row("per title", point)),
        ],
      });
    }
    const targets = results.map(({ source, fewer }) =>
      atLeast(`per-title, % fewer bits at equal XPSNR: ${source}`, fewer, 15, 25),
    );
    return { targets, results };
  },
};

type LadderPoint = CurvePoint & Pick<RenditionPlan, "width" | "height" | "crf">;

async function compare(source: Source, quick: boolean, signal: AbortSignal) {
  const prepared = await prepare(source.path, signal);
  const { plan, media, table } = prepared;
  const { video } = plan;
  if (!video) throw new Error("a source without video");
  const fixed = quick ? video.renditions.slice(-2) : video.renditions;
  const trial = planTrial({ video, fixed, durationSeconds: media.durationSeconds, keyframePts: table.keyframePts });
  const { points } = await encode(
    source,
    prepared,
    trial.video.renditions,
    trial.samples.slice(0, quick ? 1 : 3),
    signal,
  );
  const places = placesOf(prepared, quick);
  const asLadder = async (renditions: RenditionPlan[]): Promise<LadderPoint[]> => {
    const { points: measured } = await encode(source, prepared, renditions, places, signal);
    return measured.map((point) => ({ ...point, quality: meanQuality(point) }));
  };
  const before = await asLadder(fixed);
  // As good on top as the fixed one, by the trials' own measure.
  const like = points
    .filter(({ width }) => width === fixed[0]?.width)
    .map((point) => ({ ...point, quality: meanQuality(point) }));
  const qualityTarget = interpolated(like, fixed[0]?.crf ?? 0);
  const { renditions, choice } = chooseLadder({
    trials: points,
    fixed,
    frameRate: video.frameRate ?? { num: 25, den: 1 },
    qualityTarget,
  });
  const chosen = await asLadder(renditions);
  return {
    source: source.name,
    fixed: before,
    chosen,
    trials: points,
    reason: choice.reason,
    fewer: -bdRate(before, chosen) * 100,
  };
}

async function encode(
  source: Source,
  { plan }: Prepared,
  renditions: RenditionPlan[],
  samples: ChunkPlan[],
  signal: AbortSignal,
) {
  await using out = await scratch();
  if (!plan.video) throw new Error("a plan without video");
  const video = { ...plan.video, renditions };
  return await run({ kind: "trial", sourceUrl: source.path, video, samples, outDir: out.path }, { signal });
}

function placesOf({ plan, media }: Prepared, quick: boolean): ChunkPlan[] {
  const { num, den } = plan.video?.timeBase ?? { num: 1, den: 1 };
  const toPts = (seconds: number) => (plan.video?.startPts ?? 0n) + BigInt(Math.round((seconds * den) / num));
  const length = quick ? 1 : placeSeconds;
  return places.slice(0, quick ? 1 : places.length).map((place, index) => {
    const start = Math.max(0, Math.min(place * media.durationSeconds, media.durationSeconds - length));
    const startPts = toPts(start);
    return {
      index,
      startPts,
      endPts: toPts(start + length),
      segmentPts: [startPts],
      firstSegment: 1,
      frameCount: 0,
      firstFrame: 0,
      sceneChange: false,
    };
  });
}

/** The quality at a CRF between two trials. */
function interpolated(points: { crf: number; quality: number }[], crf: number): number {
  const sorted = points.toSorted((one, other) => one.crf - other.crf);
  const above = sorted.find((point) => point.crf >= crf) ?? sorted.at(-1);
  const below = sorted.findLast((point) => point.crf <= crf) ?? sorted[0];
  if (!above || !below) return Number.NaN;
  const part = above.crf > below.crf ? (crf - below.crf) / (above.crf - below.crf) : 0;
  return below.quality + (above.quality - below.quality) * part;
}
