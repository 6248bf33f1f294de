import { bdRate, type ChunkResult, type CurvePoint } from "@kinora/media";
import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { formatNumber } from "../../harness/table.ts";
import { atMost } from "../../harness/target.ts";
import { encodeChunk, excerpt, prepare, scratch } from "../kinora-encode.ts";
import { mainSource } from "../sources.ts";

/** Segments in a chunk: the plan's own figure for two workers is about this. */
const each = 3;

/** What it costs to start rate control and lookahead anew at each chunk: the same segments as one chunk and as several, at several qualities. */
export const chunking: Part = {
  name: "chunking",
  about: `bits at equal quality (XPSNR) of chunks of ${each} segments, against the same segments in one go`,
  async run(conditions: Conditions): Promise<Outcome> {
    const { signal, quick } = conditions;
    const source = mainSource(quick);
    const prepared = await prepare(source.path, signal);
    const [largest] = prepared.plan.video?.renditions ?? [];
    if (!largest || !prepared.plan.video) throw new Error("nothing to encode");
    const segments = quick ? 2 : 9;
    const crfs = quick ? [24, 36] : [20, 25, 30, 35];
    const curves: { whole: CurvePoint[]; chunks: CurvePoint[] } = { whole: [], chunks: [] };
    for (const crf of crfs) {
      const video = { ...prepared.plan.video, renditions: [{ ...largest, crf }] };
      const plan = { ...prepared.plan, video };
      for (const [name, length] of [
        ["whole", segments],
        ["chunks", quick ? 1 : each],
      ] as const) {
        await using out = await scratch();
        const results: ChunkResult[] = [];
        for (const chunk of excerpt(prepared, 0, segments, length)) {
          results.push(await encodeChunk(source.path, plan, chunk, { signal, outDir: out.path, qualityStride: 1 }));
        }
        curves[name].push(pointOf(results));
      }
    }
    const cost = bdRate(curves.whole, curves.chunks) * 100;
    conditions.show({
      title: `${source.name}, ${largest.name}: ${segments} segments`,
      columns: ["CRF", "whole kbit/s", "XPSNR", "chunks kbit/s", "XPSNR"],
      rows: crfs.map((crf, index) => [
        String(crf),
        ...[curves.whole[index], curves.chunks[index]].flatMap((point) => [
          formatNumber((point?.bitrate ?? 0) / 1000),
          (point?.quality ?? 0).toFixed(3),
        ]),
      ]),
    });
    return {
      targets: [atMost("cost of chunking, % more bits at equal XPSNR", cost, 1, 0.3)],
      results: { source: source.name, curves },
    };
  },
};

function pointOf(results: ChunkResult[]): CurvePoint {
  const tracks = results.flatMap(({ renditions }) => renditions);
  const sum = (values: number[]) => values.reduce((before, value) => before + value, 0);
  const bytes = sum(tracks.flatMap(({ segments }) => segments.map((segment) => segment.bytes)));
  const seconds = sum(
    tracks.flatMap(({ segments, timescale }) => segments.map(({ duration }) => duration / timescale)),
  );
  const frames = sum(tracks.map(({ quality }) => quality?.frames ?? 0));
  return { bitrate: (bytes * 8) / seconds, quality: sum(tracks.map(({ quality }) => quality?.xpsnrSum ?? 0)) / frames };
}
