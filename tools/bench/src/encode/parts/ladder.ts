import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { interleave } from "../../harness/rounds.ts";
import { median, pairedRatio } from "../../harness/statistics.ts";
import { formatNumber } from "../../harness/table.ts";
import { atMost } from "../../harness/target.ts";
import { bundleWorkers } from "../bundled-workers.ts";
import { type Cost, costOf } from "../cpu-time.ts";
import { ffmpegArguments, ffmpegVersion, startFfmpeg } from "../ffmpeg.ts";
import { prepare, scratch } from "../kinora-encode.ts";
import { mainSource } from "../sources.ts";
import type { WholeJob } from "../worker-main.ts";

/** The whole ladder on one machine. Ours are the tasks that make the stream, as a worker does them, bundled as its image is: probe, analysis, chunks with their measured quality, sound. */
export const ladder: Part = {
  name: "ladder",
  about: "the whole ladder of one video on this machine, against one ffmpeg command with the same settings",
  async run(conditions: Conditions): Promise<Outcome> {
    const { signal, quick } = conditions;
    const source = mainSource(quick);
    const prepared = await prepare(source.path, signal);
    const version = ffmpegVersion();
    await using workers = await bundleWorkers(signal);
    await using worker = await workers.start();
    const ours = {
      name: "ours",
      measure: () => worker.ask<Cost>("encode", { sourceUrl: source.path } satisfies WholeJob),
    };
    const theirs = {
      name: "ffmpeg",
      measure: () =>
        costOf(async () => {
          await using out = await scratch();
          await startFfmpeg(ffmpegArguments(source.path, prepared.plan, out.path), signal).done;
        }),
    };
    const rounds = quick ? 1 : Math.min(conditions.rounds, 5);
    const samples = await interleave<Cost>(version ? [ours, theirs] : [ours], { rounds, warmUps: 0, signal });
    const of = (name: string, what: keyof Cost) => (samples.get(name) ?? []).map((cost) => cost[what]);
    const names = prepared.plan.video?.renditions.map(({ name }) => name).join(", ");
    conditions.show({
      title: `${source.name}: ${names} and sound, ${prepared.plan.chunks?.length} chunks (medians of ${rounds}; ${version ?? "no ffmpeg here: apt install ffmpeg"})`,
      columns: ["", "wall s", "CPU s"],
      rows: [...samples.keys()].map((name) => [
        name,
        formatNumber(median(of(name, "wall"))),
        formatNumber(median(of(name, "cpu"))),
      ]),
    });
    return {
      targets: [
        atMost("whole ladder: CPU, × one ffmpeg", pairedRatio(of("ours", "cpu"), of("ffmpeg", "cpu")), 1.1),
        atMost("whole ladder: wall, × one ffmpeg", pairedRatio(of("ours", "wall"), of("ffmpeg", "wall")), 1, 0.9),
      ],
      results: { source: source.name, ffmpeg: version, samples: Object.fromEntries(samples) },
    };
  },
};
