import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FrameTable } from "@kinora/media";
import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import type { Child } from "../../harness/child.ts";
import type { Samples } from "../../harness/rounds.ts";
import { median, pairedRatio } from "../../harness/statistics.ts";
import { formatNumber } from "../../harness/table.ts";
import { atLeast } from "../../harness/target.ts";
import { type Contender, takeTurns } from "../../harness/turns.ts";
import { bundleWorkers, type Workers } from "../bundled-workers.ts";
import { ffmpegArguments, ffmpegVersion, singleThreaded, startFfmpeg } from "../ffmpeg.ts";
import { type Prepared, prepare, scratch } from "../kinora-encode.ts";
import { loopedSource, mainSource, type Source } from "../sources.ts";
import type { ChunkJob } from "../worker-main.ts";

/** Seconds until the last of those who worked had ended, and by how much the first was earlier. */
type Span = { wall: number; apart: number };

/**
 * Two workers with a core each against one with one: what a second machine is worth. Each has the chunks that are planned for a fleet of its size. Who ends first waits for the other, for half of a last chunk on average, which
 * is never less than a segment: that counts the more the shorter a video is. So the target is measured by the source twice on end, and the source alone is shown beside it.
 */
export const scale: Part = {
  name: "scale",
  about: "the chunks of a video by two workers with one thread each, against one such worker",
  async run(conditions: Conditions): Promise<Outcome> {
    const { signal, quick, serverCore, loadCore } = conditions;
    const cores = serverCore === undefined || loadCore === undefined ? [undefined, undefined] : [serverCore, loadCore];
    await using out = await scratch();
    await using workers = await bundleWorkers(signal);
    const short = mainSource(quick);
    const hasFfmpeg = ffmpegVersion() !== undefined;
    const sources = hasFfmpeg && !quick ? [loopedSource(short, 2, join(out.path, "long.mp4")), short] : [short];
    const contests: Contest[] = [];
    for (const source of sources) {
      const one = await prepare(source.path, signal, 1);
      const two = await prepare(source.path, signal, 2);
      const enter = (cores: Cores) =>
        enterWorkers(workers, cores, { source, prepared: cores.length === 1 ? one : two }, signal);
      contests.push({ nameOf: (many) => workersName(source, many), halved: true, enter });
    }
    if (hasFfmpeg) {
      const work = { source: short, prepared: await prepare(short.path, signal, 1) };
      contests.push({ nameOf: ffmpegName, halved: false, enter: (cores) => enterFfmpeg(cores, work) });
    }
    const rounds = quick ? 1 : Math.min(conditions.rounds, 3);
    const samples = new Map<string, Span[]>();
    for (let round = 0; round < rounds; round++) {
      for (const { nameOf, halved, enter } of contests) {
        await using one = await enter(coresFor(1, cores, round));
        await using two = await enter(coresFor(2, cores, round));
        const spans = await takeTurns([one, halved ? { ...two, share: 0.5 } : two], { signal });
        for (const [index, span] of spans.entries()) {
          const name = nameOf(index + 1);
          samples.set(name, [...(samples.get(name) ?? []), span]);
        }
      }
    }
    const speedUps = sources.map((source) => ratio(samples, workersName(source, 1), workersName(source, 2)));
    // Each of two commands has as much to do as the one.
    const ceiling = 2 * ratio(samples, ffmpegName(1), ffmpegName(2));
    conditions.show({
      title: `One thread for each worker and encoder${cores[0] === undefined ? "" : ", and a core; one alone has the one core and the other in turns"} (medians of ${rounds})`,
      columns: ["", "wall s", "ended apart, s"],
      rows: [...samples.keys()].map((name) => [
        name,
        ...(["wall", "apart"] as const).map((what) => formatNumber(median(of(samples, name, what)))),
      ]),
    });
    conditions.show({
      title: "What the second core is worth on this machine",
      columns: ["", "×"],
      rows: [
        ...sources.map(({ name }, index) => [`two workers: ${name}`, (speedUps[index] ?? Number.NaN).toFixed(2)]),
        ["two ffmpeg commands at once, each with half of the source", ceiling.toFixed(2)],
      ],
    });
    return {
      targets: [atLeast("two one-thread workers, × one", speedUps[0] ?? Number.NaN, 1.85, 1.95)],
      results: { source: sources[0]?.name, speedUps, ceiling, samples: Object.fromEntries(samples) },
    };
  },
};

const workersName = ({ name }: Source, many: number) => `${name}: ${many === 1 ? "one worker" : `${many} workers`}`;
const ffmpegName = (many: number) =>
  many === 1 ? "one ffmpeg with half of the source" : `${many} ffmpegs, each with it`;

/** Milliseconds until a worker is what it is most of its life: waiting for work, with a child that stands ready. */
const settleMs = 1_500;

type Cores = readonly (number | undefined)[];
type Work = { source: Source; prepared: Prepared };

/** One against two. `halved`: the two have to do together what the one has to do alone, and else as much each. */
type Contest = { nameOf(many: number): string; halved: boolean; enter(cores: Cores): Promise<Entry> };
type Entry = Contender<Span> & AsyncDisposable;

/** Cores differ in speed where a machine is shared, so that one alone has another one in each round. */
function coresFor(many: number, cores: Cores, round: number): Cores {
  const first = round % cores.length;
  return [...cores.slice(first), ...cores.slice(0, first)].slice(0, many);
}

/** A worker on each of these cores; together they make all chunks of a plan. */
async function enterWorkers(
  workers: Workers,
  cores: Cores,
  { source, prepared: { plan } }: Work,
  signal: AbortSignal,
): Promise<Entry> {
  await using stack = new AsyncDisposableStack();
  const children: Child[] = [];
  for (const core of cores) children.push(stack.use(await workers.start(core)));
  await sleep(settleMs, undefined, { signal });
  const waiting = [...(plan.chunks ?? [])];
  const started = stack.move();
  return {
    processes: () => children.map(({ pid }) => pid),
    work: (clock) =>
      timeAll(
        clock,
        children.map(async (child) => {
          for (let chunk = waiting.shift(); chunk; chunk = waiting.shift()) {
            await child.ask("begin", { sourceUrl: source.path, plan, chunk } satisfies ChunkJob);
          }
          await child.ask("finish");
        }),
      ),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** An ffmpeg command on each of these cores, each with the first half of the source. */
async function enterFfmpeg(cores: Cores, { source, prepared: { plan, table } }: Work): Promise<Entry> {
  await using stack = new AsyncDisposableStack();
  const folders: string[] = [];
  for (const _ of cores) folders.push(stack.use(await scratch()).path);
  const running: number[] = [];
  const made = stack.move();
  return {
    processes: () => running,
    work: (clock, signal) =>
      timeAll(
        clock,
        folders.map((folder, index) => {
          const args = ffmpegArguments(source.path, { ...plan, audio: undefined }, folder);
          const { child, done } = startFfmpeg(singleThreaded(args, firstHalf(table)), signal, cores[index]);
          if (child.pid !== undefined) running.push(child.pid);
          return done;
        }),
      ),
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

async function timeAll(clock: () => number, works: Promise<void>[]): Promise<Span> {
  const ends = await Promise.all(works.map((work) => work.then(clock)));
  const wall = Math.max(...ends);
  return { wall, apart: wall - Math.min(...ends) };
}

const of = (samples: Samples<Span>, name: string, what: keyof Span) =>
  (samples.get(name) ?? []).map((span) => span[what]);

const ratio = (samples: Samples<Span>, one: string, two: string) =>
  pairedRatio(of(samples, one, "wall"), of(samples, two, "wall"));

/** The first half of a source, in seconds of it. */
function firstHalf({ timeBase, startPts, endPts }: FrameTable): { start: number; end: number } {
  const { num, den } = timeBase ?? { num: 1, den: 1 };
  const [start, end] = [startPts, endPts].map((pts) => (Number(pts) * num) / den) as [number, number];
  return { start, end: (start + end) / 2 };
}
