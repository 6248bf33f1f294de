import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type EncodePlan, planEncode } from "@kinora/media";
import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { interleave } from "../../harness/rounds.ts";
import { median } from "../../harness/statistics.ts";
import { formatNumber } from "../../harness/table.ts";
import { atMost } from "../../harness/target.ts";
import { ffmpegArguments, ffmpegVersion, startFfmpeg } from "../ffmpeg.ts";
import { encodeChunk, prepare, run, scratch, warmChildren } from "../kinora-encode.ts";
import { loopedSource, mainSource, type Source } from "../sources.ts";

/** The tasks between a source that is there and a stream that plays: probe, the first chunk and the first of the sound. Without upload and control plane. */
export const firstSegment: Part = {
  name: "first",
  about: "seconds until every rendition and the sound have their first segment, of a short and of a long video",
  async run(conditions: Conditions): Promise<Outcome> {
    const { signal, quick } = conditions;
    await using out = await scratch();
    const short = mainSource(quick);
    const version = ffmpegVersion();
    const long = version ? loopedSource(short, quick ? 4 : 35, join(out.path, "long.mp4")) : undefined;
    const { plan } = await prepare(short.path, signal);
    await using _ready = warmChildren();
    const subjects = [
      { name: "ours", measure: () => ours(short, signal) },
      ...(long ? [{ name: "ours, long", measure: () => ours(long, signal) }] : []),
      ...(version ? [{ name: "ffmpeg", measure: () => theirs(short, plan, signal) }] : []),
    ];
    const rounds = quick ? 1 : Math.min(conditions.rounds, 5);
    const samples = await interleave<number>(subjects, { rounds, warmUps: quick ? 0 : 1, signal });
    const seconds = (name: string) => median(samples.get(name) ?? []);
    conditions.show({
      title: `Until the first segment: ${short.name}${long ? `, and as long: ${long.name}` : " (no ffmpeg here: no long video, nothing to compare with)"}`,
      columns: ["", "s"],
      rows: [...samples.keys()].map((name) => [name, formatNumber(seconds(name))]),
    });
    return {
      targets: [
        atMost("first segment, tasks alone: s beyond 1.5 × ffmpeg's", seconds("ours") - 1.5 * seconds("ffmpeg"), 2),
        atMost("first segment, tasks alone: 30 min input, × 52 s", seconds("ours, long") / seconds("ours"), 1.2),
      ],
      results: Object.fromEntries(samples),
    };
  },
};

async function ours({ path }: Source, signal: AbortSignal): Promise<number> {
  await using out = await scratch();
  const start = performance.now();
  const media = await run({ kind: "probe", sourceUrl: path }, { signal });
  const begun = planEncode(media).plan;
  // A video that is too short for a head of its own is analysed first.
  const plan = begun?.chunks?.length ? begun : (await prepare(path, signal)).plan;
  const [head] = plan.chunks ?? [];
  if (!plan.audio || !head) throw new Error("no chunk to encode");
  const stop = new AbortController();
  const { audio, segmentSeconds, video } = plan;
  const sound = new Promise<void>((resolve, reject) => {
    const task = {
      kind: "audio",
      sourceUrl: path,
      audio,
      segmentSeconds,
      startSeconds: video?.startSeconds ?? 0,
      outDir: out.path,
    } as const;
    run(task, { signal: AbortSignal.any([signal, stop.signal]), onTrack: () => resolve() }).then(
      () => resolve(),
      reject,
    );
  });
  await Promise.all([encodeChunk(path, plan, head, { signal, outDir: out.path }), sound]);
  const seconds = (performance.now() - start) / 1000;
  stop.abort();
  return seconds;
}

async function theirs({ path }: Source, plan: EncodePlan, signal: AbortSignal): Promise<number> {
  await using out = await scratch();
  const start = performance.now();
  const { child, done } = startFfmpeg(ffmpegArguments(path, plan, out.path), signal);
  done.catch(() => {}); // it is killed before its end
  const names = [...(plan.video?.renditions.map(({ name }) => name) ?? []), ...(plan.audio ? ["audio"] : [])];
  const isThere = (name: string) =>
    readFile(join(out.path, `${name}.m3u8`), "utf8").then(
      (text) => text.includes("#EXTINF"),
      () => false,
    );
  while (!(await Promise.all(names.map(isThere))).every(Boolean) && child.exitCode === null) await sleep(20);
  const seconds = (performance.now() - start) / 1000;
  child.kill("SIGKILL");
  await done.catch(() => {});
  return seconds;
}
