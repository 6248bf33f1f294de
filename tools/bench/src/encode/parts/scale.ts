import type { ChunkPlan } from "@kinora/media";
import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { startChild } from "../../harness/child.ts";
import { interleave } from "../../harness/rounds.ts";
import { median, pairedRatio } from "../../harness/statistics.ts";
import { formatNumber } from "../../harness/table.ts";
import { atLeast } from "../../harness/target.ts";
import { excerpt, prepare } from "../kinora-encode.ts";
import { mainSource } from "../sources.ts";
import type { ChunkJob } from "../worker-main.ts";

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
      await using stack = new AsyncDisposableStack();
      const children = await Promise.all(
        cores.slice(0, workers).map((core) => startChild({ module, parameters: {}, core })),
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
    const rounds = quick ? 1 : Math.min(conditions.rounds, 3);
    const subjects = [1, 2].map((workers) => ({ name: String(workers), measure: () => encode(workers) }));
    const samples = await interleave<number>(subjects, { rounds, warmUps: 0, signal });
    const of = (name: string) => samples.get(name) ?? [];
    const speedUp = pairedRatio(of("1"), of("2"));
    conditions.show({
      title: `${source.name}: ${chunks.length} chunks, each worker with one thread for each encoder${cores[0] === undefined ? "" : " and a core of its own"}`,
      columns: ["workers", "wall s"],
      rows: [...samples.keys()].map((name) => [name, formatNumber(median(of(name)))]),
    });
    return {
      targets: [atLeast("two one-thread workers, × one", speedUp, 1.85, 1.95)],
      results: { source: source.name, chunks: chunks.length, seconds: Object.fromEntries(samples) },
    };
  },
};
