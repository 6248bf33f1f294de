import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planEncode } from "./plan/plan-encode.ts";
import { runTask } from "./task.ts";
import { inspectPicture, inspectStream } from "./testing/index.ts";
import { type MediaSpec, makeMedia } from "./testing/make-media.ts";
import { audio, cases, flash, video } from "./testing/stream-cases.ts";
import type { StreamResult } from "./types.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  const specs = cases.map((one): MediaSpec => {
    return {
      path: join(folder.path, one.file),
      flash: one.flash ?? flash,
      ...(one.format ? { format: one.format } : {}),
      ...(one.muxerOptions ? { muxerOptions: one.muxerOptions } : {}),
      video: video(one.video),
      ...(one.audio === null ? {} : { audio: audio(one.audio) }),
    };
  });
  await makeMedia(...specs);
}, 60_000);
afterAll(() => folder.remove());

/** Sound and picture may be apart by less than people notice, and by less than a frame at 30 a second. */
const inSync = 0.03;

const limits = { timeLimitMs: 60_000, noProgressMs: 30_000 };

describe("a stream made from", () => {
  it.concurrent.for(cases)(
    "$file has every frame at its time, in step with the sound",
    { timeout: 60_000 },
    async (one, { signal }) => {
      const sourceUrl = join(folder.path, one.file);
      const wanted = one.expect ?? {};
      const source = video(one.video);
      const times = Array.isArray(source.frames)
        ? source.frames
        : Array.from({ length: source.frames }, (_, index) => (index * source.frameRate.den) / source.frameRate.num);

      const media = await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl, whole: true } });
      expect(media).toMatchObject({ video: { frameCount: wanted.frames ?? times.length }, ...wanted.media });
      const { plan, refusal } = planEncode(media);
      if (!plan) throw new Error(refusal);

      await using out = await temporaryFolder();
      const files = new Map<string, number>();
      const result = await runTask({
        ...limits,
        signal,
        task: {
          kind: "encode",
          sourceUrl,
          plan,
          outDir: out.path,
        },
        onFile: (path, bytes) => void files.set(path, bytes),
      });
      expectFiles(result, files);
      const tracks = await inspectStream(out.path, { signal });
      expect(tracks.flatMap((track) => track.errors)).toEqual([]);
      const pictures = tracks.filter((track) => track.kind === "video");
      expect(pictures).toHaveLength(plan.video?.renditions.length ?? 0);
      for (const track of pictures) {
        expect(track.frames).toBe(times.length);
        // Containers count in units of up to a millisecond (and AVI in frames).
        expect(Math.max(...track.frameTimes.map((time, index) => Math.abs(time - (times[index] ?? 0))))).toBeLessThan(
          0.0011,
        );
        expect(track.keyTimes).toEqual(pictures[0]?.keyTimes);
        expect(track.keyTimes.every((key, index) => Math.abs(key - segmentStart(times, index)) < 0.0011)).toBe(true);
      }
      const top = result.video[0];
      if (wanted.top) expect(`${top?.name} ${top?.width}x${top?.height}`).toBe(wanted.top);
      const largest = pictures.find((track) => track.name === top?.name);
      if (!largest) throw new Error("the largest rendition is missing");
      expect(largest.corners.indexOf(Math.max(...largest.corners))).toBe(wanted.brightCorner ?? 0);

      const sound = tracks.find((track) => track.kind === "audio");
      if (wanted.audio === null) {
        expect(sound).toBeUndefined();
        expect(result.audio).toBeUndefined();
        return;
      }
      if (!sound) throw new Error("the sound is missing");
      expect(sound).toMatchObject(wanted.audio ?? {});
      expect(sound.firstSeconds).toBe(0);
      for (const segment of result.audio?.segments.slice(0, -1) ?? []) {
        expect(Math.abs(segment.duration / sound.sampleRate - 4)).toBeLessThan(0.025);
      }
      const made = audio(one.audio ?? {});
      const soundEnd = (made.startSeconds ?? 0) + made.seconds - (source.startSeconds ?? 0);
      // Codecs pad their last frame, and some put samples before the first.
      expect(sound.firstSeconds + sound.durationSeconds).toBeGreaterThan(soundEnd - 0.03);
      expect(sound.firstSeconds + sound.durationSeconds).toBeLessThan(soundEnd + 0.1);
      if (times.length === 1) return;
      const [from, to] = one.flash ?? flash;
      const brightFrom = largest.frameTimes[largest.brightness.findIndex((value) => value > 0.5)];
      expect(brightFrom).toBeCloseTo(from, 2);
      const loud = sound.levels.flatMap((level, index) => (level > 0.1 ? [index / 100] : []));
      expect(Math.abs((loud[0] ?? 0) - from)).toBeLessThan(inSync);
      expect(Math.abs((loud.at(-1) ?? 0) + 0.01 - to)).toBeLessThan(inSync);
    },
  );
});

it("made from a spliced recording runs on over the splice, whatever changes there", async ({ signal }) => {
  const sourceUrl = join(folder.path, "spliced.ts");
  const second = join(folder.path, "second.ts");
  await makeMedia({
    path: second,
    flash,
    video: video({ width: 640, height: 360 }),
    audio: audio({ codec: "mp2", channels: 1, sampleRate: 44_100 }),
  });
  await writeFile(sourceUrl, Buffer.concat([await readFile(join(folder.path, "h264.ts")), await readFile(second)]));
  const { plan } = planEncode(await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl, whole: true } }));
  if (!plan) throw new Error("no plan");
  await using out = await temporaryFolder();
  await runTask({ ...limits, signal, task: { kind: "encode", sourceUrl, plan, outDir: out.path } });
  const [picture, sound] = await inspectStream(out.path, { signal });
  expect(picture).toMatchObject({ name: "180p", width: 320, height: 180, frames: 100, errors: [] });
  const wanted = Array.from({ length: 100 }, (_, index) => index / 25);
  for (const [index, time] of picture?.frameTimes.entries() ?? [])
    expect(Math.abs(time - (wanted[index] ?? 0))).toBeLessThan(0.07);
  const bright = picture?.frameTimes.filter((_, index) => (picture.brightness[index] ?? 0) > 0.5) ?? [];
  const loud = sound?.levels.flatMap((level, index) => (level > 0.1 ? [index / 100] : [])) ?? [];
  // Two flashes, each with its beep.
  for (const near of [1, 3]) {
    const flashAt = bright.find((time) => time > near - 0.5);
    const beepAt = loud.find((time) => time > near - 0.5);
    expect(Math.abs((flashAt ?? 0) - (beepAt ?? 9))).toBeLessThan(inSync);
  }
  expect(sound?.errors).toEqual([]);
});

it("has a moment of silence where all the sound comes before the first picture", async ({ signal }) => {
  const sourceUrl = join(folder.path, "before.mkv");
  await makeMedia({ path: sourceUrl, flash, video: video({ startSeconds: 3 }), audio: audio({ seconds: 1 }) });
  const { plan } = planEncode(await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl, whole: true } }));
  if (!plan?.audio) throw new Error("no plan with sound");
  await using out = await temporaryFolder();
  const result = await runTask({ ...limits, signal, task: { kind: "encode", sourceUrl, plan, outDir: out.path } });
  expect(result.audio?.segments).toHaveLength(1);
});

it("leaves no scrap of sound at its end", async ({ signal }) => {
  const sourceUrl = join(folder.path, "scrap.mkv");
  // In frames of AAC that is two segments, and a frame.
  await makeMedia({ path: sourceUrl, flash, video: video({ frames: 200 }), audio: audio({ seconds: 8 }) });
  const { plan } = planEncode(await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl, whole: true } }));
  if (!plan?.audio) throw new Error("no plan with sound");
  await using out = await temporaryFolder();
  const { audio: sound } = await runTask({
    ...limits,
    signal,
    task: { kind: "encode", sourceUrl, plan, outDir: out.path },
  });
  if (!sound) throw new Error("no sound");
  const lengths = sound.segments.map(({ duration }) => duration / sound.timescale);
  expect(lengths).toHaveLength(2);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBeCloseTo(8, 1);
});

it("gets a poster that shows the planned moment, at the size of the largest rendition", async ({ signal }) => {
  const sourceUrl = join(folder.path, "turned-90.mp4");
  const media = await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl, whole: true } });
  const { plan } = planEncode(media);
  if (!plan) throw new Error("no plan");
  const brightness: number[] = [];
  for (const posterSeconds of [0.5, 1.1]) {
    await using out = await temporaryFolder();
    const task = { kind: "encode", sourceUrl, plan: { ...plan, posterSeconds }, outDir: out.path } as const;
    const { poster } = await runTask({ ...limits, signal, task });
    const picture = await inspectPicture(join(out.path, poster));
    expect(picture).toMatchObject({ width: 360, height: 640 });
    if (posterSeconds < 1) expect(picture.corners.indexOf(Math.max(...picture.corners))).toBe(1);
    brightness.push(...picture.brightness);
  }
  expect(brightness[0]).toBeLessThan(0.3);
  expect(brightness[1]).toBeGreaterThan(0.7);
});

/** The first time at or past the multiple of 4 s that comes after the segment before. */
function segmentStart(times: number[], index: number): number {
  let start = times[0] ?? 0;
  for (let segment = 0; segment < index; segment++) {
    const next = Math.floor(start / 4 + 1e-6) + 1;
    start = times.find((time) => time >= next * 4 - 1e-6) ?? Number.NaN;
  }
  return start;
}

/** What was announced is what the result says. */
function expectFiles(result: StreamResult, files: Map<string, number>): void {
  const tracks = [...result.video, ...(result.audio ? [result.audio] : [])];
  const told = tracks.flatMap((track) => [
    [`${track.name}/init.mp4`, track.initBytes] as const,
    ...track.segments.map((segment, index) => [`${track.name}/${index + 1}.m4s`, segment.bytes] as const),
  ]);
  expect([...files].filter(([path]) => path !== "poster.jpg").sort()).toEqual(told.sort());
  expect(files.get("poster.jpg")).toBeGreaterThan(100);
}
