import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { EncodePlan } from "@kinora/media";
import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { interleave } from "../../harness/rounds.ts";
import { median } from "../../harness/statistics.ts";
import { formatNumber } from "../../harness/table.ts";
import { atMost } from "../../harness/target.ts";
import { ffmpegArguments, ffmpegVersion, startFfmpeg } from "../ffmpeg.ts";
import { prepare, scratch } from "../kinora-encode.ts";
import { startProduct } from "../product.ts";
import { loopedSource, mainSource, type Source } from "../sources.ts";

/** From the last byte of an upload to a stream that plays, through all of Kinora in one process: upload, plan, queue, worker, playlists and segments over HTTP. */
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
    await using product = await startProduct(signal);
    const subjects = [
      { name: "ours", measure: () => product.secondsUntilItPlays(short) },
      ...(long ? [{ name: "ours, long", measure: () => product.secondsUntilItPlays(long) }] : []),
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
        atMost("first segment: s beyond 1.5 × ffmpeg's", seconds("ours") - 1.5 * seconds("ffmpeg"), 2),
        atMost("first segment: 30 min input, × 52 s", seconds("ours, long") / seconds("ours"), 1.2),
      ],
      results: Object.fromEntries(samples),
    };
  },
};

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
