import type { FrameTable } from "@kinora/media";
import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { interleave } from "../../harness/rounds.ts";
import { median, pairedRatio } from "../../harness/statistics.ts";
import { formatNumber } from "../../harness/table.ts";
import { atLeast } from "../../harness/target.ts";
import { bundleWorkers } from "../bundled-workers.ts";
import { ffmpegArguments, ffmpegVersion, singleThreaded, startFfmpeg } from "../ffmpeg.ts";
import { type Prepared, prepare, scratch } from "../kinora-encode.ts";
import { mainSource } from "../sources.ts";
import type { ChunkJob } from "../worker-main.ts";

/** Two workers with a core each against one with one: what a second machine is worth. Each has the chunks that are planned for a fleet of its size. */
export const scale: Part = {
  name: "scale",
  about: "the chunks of one video by two workers with one thread each, against one such worker",
  async run(conditions: Conditions): Promise<Outcome> {
    const { signal, quick, serverCore, loadCore } = conditions;
    const source = mainSource(quick);
    const prepared = await Promise.all([1, 2].map((slots) => prepare(source.path, signal, slots)));
    await using workers = await bundleWorkers(signal);
    const cores = serverCore === undefined || loadCore === undefined ? [undefined, undefined] : [serverCore, loadCore];

    const encode = async ({ plan }: Prepared, many: number): Promise<number> => {
      await using stack = new AsyncDisposableStack();
      const children = await Promise.all(cores.slice(0, many).map((core) => workers.start(core)));
      for (const child of children) stack.use(child);
      const waiting = [...(plan.chunks ?? [])];
      const start = performance.now();
      await Promise.all(
        children.map(async (child) => {
          for (let chunk = waiting.shift(); chunk; chunk = waiting.shift()) {
            await child.ask("begin", { sourceUrl: source.path, plan, chunk } satisfies ChunkJob);
          }
          await child.ask("finish");
        }),
      );
      return (performance.now() - start) / 1000;
    };
    /** So many ffmpeg commands at once, each with the same work: the seconds until all have ended. */
    const plain = async (processes: number): Promise<number> => {
      const [{ plan, table }] = prepared as [Prepared];
      const folders = await Promise.all(cores.slice(0, processes).map(() => scratch()));
      const start = performance.now();
      await Promise.all(
        folders.map(async ({ path }, index) => {
          const args = ffmpegArguments(source.path, { ...plan, audio: undefined }, path);
          await startFfmpeg(singleThreaded(args, firstHalf(table)), signal, cores[index]).done;
        }),
      );
      const seconds = (performance.now() - start) / 1000;
      for (const folder of folders) await folder[Symbol.asyncDispose]();
      return seconds;
    };
    const rounds = quick ? 1 : Math.min(conditions.rounds, 2);
    const subjects = [
      ...prepared.map((own, at) => ({ name: workerName(at + 1), measure: () => encode(own, at + 1) })),
      ...(ffmpegVersion() ? [1, 2].map((many) => ({ name: processName(many), measure: () => plain(many) })) : []),
    ];
    const samples = await interleave<number>(subjects, { rounds, warmUps: 0, signal });
    const of = (name: string) => samples.get(name) ?? [];
    const speedUp = pairedRatio(of(workerName(1)), of(workerName(2)));
    const ceiling = 2 * pairedRatio(of(processName(1)), of(processName(2)));
    const chunks = prepared.map(({ plan }) => plan.chunks?.length ?? 0);
    conditions.show({
      title: `${source.name}: ${chunks.join(" and ")} chunks, each worker with one thread for each encoder${cores[0] === undefined ? "" : " and a core of its own"}`,
      columns: ["", "wall s"],
      rows: [...samples.keys()].map((name) => [name, formatNumber(median(of(name)))]),
    });
    conditions.show({
      title: "What the second core is worth on this machine",
      columns: ["", "×"],
      rows: [
        ["to two workers", speedUp.toFixed(2)],
        ["to two ffmpeg commands at once, each with half of the source", ceiling.toFixed(2)],
      ],
    });
    return {
      targets: [atLeast("two one-thread workers, × one", speedUp, 1.85, 1.95)],
      results: { source: source.name, chunks, ceiling, seconds: Object.fromEntries(samples) },
    };
  },
};

const workerName = (many: number) => (many === 1 ? "one worker" : `${many} workers`);
const processName = (many: number) =>
  many === 1 ? "one ffmpeg with half of the source" : `${many} ffmpegs, each with it`;

/** The first half of a source, in seconds of it. */
function firstHalf({ timeBase, startPts, endPts }: FrameTable): { start: number; end: number } {
  const { num, den } = timeBase ?? { num: 1, den: 1 };
  const [start, end] = [startPts, endPts].map((pts) => (Number(pts) * num) / den) as [number, number];
  return { start, end: (start + end) / 2 };
}
