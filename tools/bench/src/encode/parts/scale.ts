import type { ChunkPlan } from "@kinora/media";
import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { startChild } from "../../harness/child.ts";
import { interleave } from "../../harness/rounds.ts";
import { median, pairedRatio } from "../../harness/statistics.ts";
import { formatNumber } from "../../harness/table.ts";
import { atLeast } from "../../harness/target.ts";
import { ffmpegArguments, ffmpegVersion, singleThreaded, startFfmpeg } from "../ffmpeg.ts";
import { excerpt, type Prepared, prepare, scratch } from "../kinora-encode.ts";
import { mainSource } from "../sources.ts";
import type { ChunkJob, WorkerParameters } from "../worker-main.ts";

const module = new URL("../worker-main.ts", import.meta.url).href;

/** Two workers with a core each against one with one: what a second machine is worth. */
export const scale: Part = {
  name: "scale",
  about: "the chunks of one video by two workers with one thread each, against one such worker",
  async run(conditions: Conditions): Promise<Outcome> {
    const { signal, quick, serverCore, loadCore } = conditions;
    const source = mainSource(quick);
    const prepared = await prepare(source.path, signal);
    const chunks = excerpt(prepared, 0, quick ? 2 : 8, quick ? 1 : 2);
    const cores = serverCore === undefined || loadCore === undefined ? [undefined, undefined] : [serverCore, loadCore];

    const encode = async (workers: number): Promise<number> => {
      await using compiled = await scratch();
      await using stack = new AsyncDisposableStack();
      const children = await Promise.all(
        cores
          .slice(0, workers)
          .map((core) =>
            startChild({ module, parameters: { compiledDir: compiled.path } satisfies WorkerParameters, core }),
          ),
      );
      for (const child of children) stack.use(child);
      const waiting: ChunkPlan[] = [...chunks];
      const start = performance.now();
      await Promise.all(
        children.map(async (child) => {
          for (let chunk = waiting.shift(); chunk; chunk = waiting.shift()) {
            const job: ChunkJob = { sourceUrl: source.path, plan: prepared.plan, chunk };
            await child.ask("encode", job);
          }
        }),
      );
      return (performance.now() - start) / 1000;
    };
    const plain = async (processes: number): Promise<number> => {
      const parts = halves(chunks, prepared);
      await using out = await scratch();
      const args = ffmpegArguments(source.path, { ...prepared.plan, audio: undefined }, out.path);
      const start = performance.now();
      await Promise.all(
        cores.slice(0, processes).map(async (core, index) => {
          const own = parts.filter((_, at) => at % processes === index);
          for (const part of own) await startFfmpeg(singleThreaded(args, part), signal, core).done;
        }),
      );
      return (performance.now() - start) / 1000;
    };
    const rounds = quick ? 1 : Math.min(conditions.rounds, 3);
    const subjects = [
      ...[1, 2].map((workers) => ({ name: workerName(workers), measure: () => encode(workers) })),
      ...(ffmpegVersion() ? [1, 2].map((many) => ({ name: processName(many), measure: () => plain(many) })) : []),
    ];
    const samples = await interleave<number>(subjects, { rounds, warmUps: 0, signal });
    const of = (name: string) => samples.get(name) ?? [];
    const speedUp = pairedRatio(of(workerName(1)), of(workerName(2)));
    const ceiling = pairedRatio(of(processName(1)), of(processName(2)));
    conditions.show({
      title: `${source.name}: ${chunks.length} chunks, each worker with one thread for each encoder${cores[0] === undefined ? "" : " and a core of its own"}`,
      columns: ["", "wall s"],
      rows: [...samples.keys()].map((name) => [name, formatNumber(median(of(name)))]),
    });
    conditions.show({
      title: "What the second core is worth on this machine",
      columns: ["", "×"],
      rows: [
        ["to two workers", speedUp.toFixed(2)],
        ["to two ffmpeg commands, each with its half of the source", ceiling.toFixed(2)],
      ],
    });
    return {
      targets: [atLeast("two one-thread workers, × one", speedUp, 1.85, 1.95)],
      results: { source: source.name, chunks: chunks.length, ceiling, seconds: Object.fromEntries(samples) },
    };
  },
};

const workerName = (many: number) => (many === 1 ? "one worker" : `${many} workers`);
const processName = (many: number) => (many === 1 ? "one ffmpeg" : `${many} ffmpeg commands`);

/** The two halves of some chunks, in seconds of the source. */
function halves(chunks: ChunkPlan[], { plan, table }: Prepared): { start: number; end: number }[] {
  const { num, den } = plan.video?.timeBase ?? { num: 1, den: 1 };
  const seconds = (pts: bigint) => (Number(pts) * num) / den;
  const half = Math.ceil(chunks.length / 2);
  return [chunks.slice(0, half), chunks.slice(half)].flatMap((part) => {
    const [first, last] = [part[0], part.at(-1)];
    return first && last ? [{ start: seconds(first.startPts), end: seconds(last.endPts ?? table.endPts) }] : [];
  });
}
