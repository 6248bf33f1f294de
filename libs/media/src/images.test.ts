import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sampleVideo, temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { planEncode } from "./plan/plan-encode.ts";
import { runTask } from "./task.ts";
import { inspectPicture } from "./testing/index.ts";
import { makeMedia } from "./testing/make-media.ts";
import { flash, video } from "./testing/stream-cases.ts";
import type { VideoPlan } from "./types.ts";

const limits = { timeLimitMs: 60_000, noProgressMs: 30_000 };
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  const path = join(folder.path, "turned.mp4");
  await makeMedia({
    path,
    flash,
    video: video({ frames: 100, rotation: 90, width: 640, height: 360, options: { g: 10 } }),
  });
});
afterAll(() => folder.remove());

async function images(sourceUrl: string, outDir: string, signal: AbortSignal, changes: Partial<VideoPlan> = {}) {
  const media = await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl } });
  const { plan } = planEncode(media);
  if (!plan?.video) throw new Error("no plan");
  const { durationSeconds } = media;
  const task = { kind: "images", sourceUrl, video: { ...plan.video, ...changes }, durationSeconds, outDir } as const;
  return runTask({ ...limits, signal, task: { ...task, posterSeconds: 1.1, tileSide: 160, maxTiles: 20 } });
}

it.each([
  ["each at its very moment", {}],
  ["each the key frame there, of a longer video", { frameCount: 100_000 }],
])("a storyboard has the pictures of the video, upright, %s", async (_, changes) => {
  await using out = await temporaryFolder();
  const { poster, storyboard } = await images(
    join(folder.path, "turned.mp4"),
    out.path,
    new AbortController().signal,
    changes,
  );
  expect(storyboard).toMatchObject({ width: 90, height: 160, columns: 10, count: 4, intervalSeconds: 1 });
  expect(storyboard?.files).toEqual(["storyboard-1.jpg"]);
  const sheet = await inspectPicture(join(out.path, "storyboard-1.jpg"));
  expect(sheet).toMatchObject({ width: 900, height: 160 });
  const shown = await inspectPicture(join(out.path, poster));
  expect(shown).toMatchObject({ width: 360, height: 640 });
  expect(shown.brightness[0]).toBeGreaterThan(0.7);
  const vtt = await readFile(join(out.path, "storyboard.vtt"), "utf8");
  expect(vtt.match(/-->/g)).toHaveLength(4);
  // The second picture of ten is the flash at 1 s: bright, and nothing else is.
  expect(sheet.brightness[0]).toBeGreaterThan(0.1);
  expect(sheet.brightness[0]).toBeLessThan(0.35);
});

it("a storyboard of a real video fills its sheet", async ({ signal }) => {
  await using out = await temporaryFolder();
  const { storyboard } = await images(sampleVideo, out.path, signal);
  expect(storyboard?.count).toBe(12);
  const sheet = await inspectPicture(join(out.path, "storyboard-1.jpg"));
  expect(sheet).toMatchObject({ width: 1600, height: 180 });
});

it("HDR pictures keep their size where no rendition states one", async ({ signal }) => {
  await using out = await temporaryFolder();
  const path = join(out.path, "hdr10.mkv");
  const hdr = { codec: "libx265", pixelFormat: "yuv420p10le", colour: { primaries: 9, transfer: 16, matrix: 9 } };
  await makeMedia({ path, flash, video: video({ ...hdr, options: { "x265-params": "log-level=error" } }) });
  const { poster } = await images(path, out.path, signal, { renditions: [] });
  expect(await inspectPicture(join(out.path, poster))).toMatchObject({ width: 320, height: 180 });
});
