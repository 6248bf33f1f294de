import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { completePlan } from "./plan/complete-plan.ts";
import { planEncode } from "./plan/plan-encode.ts";
import { runTask } from "./task.ts";
import { makeMedia } from "./testing/make-media.ts";
import { video } from "./testing/stream-cases.ts";
import type { FrameTable } from "./types.ts";

const limits = { timeLimitMs: 60_000, noProgressMs: 30_000 };
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

/** The picture is bright between these times, in seconds: two changes of scene. Neither is a multiple of anything. */
const flash: [number, number] = [18.36, 32.64];
/** Key frames every four seconds, whatever the picture. */
const options = { preset: "ultrafast", g: 100, keyint_min: 100, sc_threshold: 0, bf: 2 };
const small = { width: 160, height: 90 };

beforeAll(async () => {
  folder = await temporaryFolder();
  const path = (name: string) => join(folder.path, name);
  const still = { ...small, frames: 1500, options };
  // At first half as many pictures a second, and so key frames twice as far apart.
  const slower = Array.from({ length: 1300 }, (_, frame) => (frame < 200 ? frame * 0.08 : 16 + (frame - 200) * 0.04));
  await makeMedia(
    { path: path("even.mp4"), flash, video: video(still) },
    { path: path("even.mkv"), flash, video: video(still) },
    { path: path("even.ts"), flash, video: video({ ...still, startSeconds: 30 }) },
    { path: path("far.mp4"), flash, video: video({ ...still, options: { ...options, g: 1500, keyint_min: 1500 } }) },
    { path: path("off.mp4"), flash: [32.4, 90], video: video({ ...still, frames: slower }) },
  );
}, 60_000);
afterAll(() => folder.remove());

/** Probe, analysis and plan of a source for so many slots; times in seconds after its first picture. */
async function planned(file: string, { signal, slots = 1 }: { signal: AbortSignal; slots?: number }) {
  const sourceUrl = join(folder.path, file);
  const media = await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl } });
  const { plan } = planEncode(media, { segmentSeconds: 2 }, { slots, framesPerSecond: 0, encoders: ["cpu"] });
  if (!plan || !media.video) throw new Error("no plan");
  const seekable = media.video.seekable ?? false;
  const secondsOf = (table: FrameTable, pts: bigint) => {
    const { num = 0, den = 1 } = table.timeBase ?? {};
    return Math.round((Number(pts - table.startPts) * num * 100) / den) / 100;
  };
  const read = async (known: typeof plan | undefined) => {
    const table = await runTask({ ...limits, signal, task: { kind: "analyse", sourceUrl, media, plan: known } });
    const chunks = completePlan(plan, table, { seekable }).plan?.chunks ?? [];
    return {
      table,
      scenes: table.sceneChanges.map(({ pts }) => secondsOf(table, pts)),
      cuts: chunks.slice(1).map(({ startPts, sceneChange }) => ({ at: secondsOf(table, startPts), sceneChange })),
    };
  };
  return { guessed: await read(undefined), seen: await read(plan), again: await read(plan) };
}

const even = [
  { at: 1.98, sceneChange: false },
  { at: 5.98, sceneChange: false },
];

it.for(["even.mp4", "even.mkv", "even.ts"])(
  "in %s, chunks begin with the changes of scene that are near, though its key frames tell of none",
  async (file, { signal }) => {
    const { guessed, seen, again } = await planned(file, { signal });
    expect(guessed.scenes).toEqual([]);
    expect(guessed.cuts.slice(2).map(({ at }) => at)).toEqual([18, 32, 46]);
    expect(seen.scenes).toEqual([18.36, 32.64]);
    expect(seen.cuts).toEqual([
      ...even,
      { at: 18.36, sceneChange: true },
      { at: 32.64, sceneChange: true },
      { at: 46.64, sceneChange: false },
    ]);
    expect(again.table).toEqual(seen.table);
  },
);

it("a key frame off the usual distance is taken for a change of scene, and nothing is decoded there", async ({
  signal,
}) => {
  const { guessed, seen } = await planned("off.mp4", { signal });
  expect(guessed.cuts).toContainEqual({ at: 32, sceneChange: true });
  expect(seen.cuts).toContainEqual({ at: 32, sceneChange: true });
  // 32.4 is as near to the cut.
  expect(seen.scenes).not.toContain(32.4);
});

it("where pictures are damaged, nothing is seen and nothing fails", async ({ signal }) => {
  const bytes = await readFile(join(folder.path, "even.mp4"));
  // The index is at the end.
  const pictures = bytes.lastIndexOf("moov");
  for (let at = Math.round(pictures * 0.2); at < pictures; at++) bytes[at] = (at * at * 31) % 251;
  await writeFile(join(folder.path, "damaged.mp4"), bytes);
  const { guessed, seen, again } = await planned("damaged.mp4", { signal });
  expect(seen.table.frameCount).toBe(1500);
  expect(seen.cuts).toEqual(guessed.cuts);
  expect(again.table).toEqual(seen.table);
});

it("nothing is decoded where a key frame is far, or for many slots, which would wait for it", async ({ signal }) => {
  const far = await planned("far.mp4", { signal });
  expect(far.seen.table).toEqual(far.guessed.table);
  const many = await planned("even.mp4", { signal, slots: 12 });
  expect(many.seen.table).toEqual(many.guessed.table);
});
