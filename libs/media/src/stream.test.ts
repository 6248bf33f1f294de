import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planEncode } from "./plan.ts";
import { runTask } from "./task.ts";
import { inspectPicture, inspectStream } from "./testing/index.ts";
import { type MediaSpec, makeMedia } from "./testing/make-media.ts";
import type { MediaInfo, StreamResult } from "./types.ts";

/** Every source flashes and beeps from 1.0 to 1.2 s after its first picture. */
const flash: [number, number] = [1, 1.2];
const fps = (num: number, den = 1) => ({ num, den });

type Video = NonNullable<MediaSpec["video"]>;
type Audio = NonNullable<MediaSpec["audio"]>;
const video = (changes: Partial<Video> = {}): Video => ({
  codec: "libx264",
  width: 320,
  height: 180,
  frameRate: fps(25),
  frames: 50,
  ...changes,
});
const audio = (changes: Partial<Audio> = {}): Audio => ({
  codec: "aac",
  sampleRate: 48_000,
  channels: 2,
  seconds: 2,
  ...changes,
});

type Case = {
  file: string;
  video?: Partial<Video>;
  audio?: Partial<Audio> | null;
  format?: string;
  muxerOptions?: MediaSpec["muxerOptions"];
  expect?: {
    media?: Partial<Omit<MediaInfo, "video">> & { video?: Partial<MediaInfo["video"]> };
    /** Name and size of the largest rendition. */
    top?: string;
    frames?: number;
    /** Brightness of the corners, clockwise from the top left: which one is bright. */
    brightCorner?: number;
    audio?: { sampleRate?: number; channels?: number } | null;
  };
  /** Another time for flash and beep. */
  flash?: [number, number];
};

/** Uneven times, with a pause of more than a second and a burst. */
const uneven = [
  0, 0.04, 0.1, 0.2, 0.5, 0.96, 1, 1.04, 1.08, 1.12, 1.16, 1.2, 2.6, 2.62, 2.64, 3.9, 4.1, 4.2, 9.3, 9.34,
];

const cases: Case[] = [
  { file: "h264-aac.mp4" },
  { file: "b-frames.mkv", video: { options: { bf: 3, g: 250 } } },
  { file: "open-gop.mp4", video: { options: { bf: 3, "x264-params": "keyint=12:open-gop=1" } } },
  { file: "fragmented.mp4", muxerOptions: { movflags: "frag_keyframe+empty_moov" } },
  { file: "ntsc.mov", video: { frameRate: fps(24_000, 1001), timeBase: { num: 1, den: 24_000 }, frames: 48 } },
  {
    file: "ntsc.mkv",
    video: { frameRate: fps(30_000, 1001), frames: 60 },
    expect: { media: { video: { frameRate: fps(30_000, 1001), variableFrameRate: false } } },
  },
  { file: "sixty.mp4", video: { frameRate: fps(60), frames: 120 } },
  { file: "high-rate.mp4", video: { frameRate: fps(120), frames: 240 } },
  {
    file: "hevc-10-bit.mkv",
    video: {
      codec: "libx265",
      pixelFormat: "yuv420p10le",
      options: { preset: "ultrafast", "x265-params": "log-level=none" },
    },
  },
  {
    file: "vp9-opus.webm",
    video: { codec: "libvpx-vp9", options: { deadline: "realtime", "cpu-used": 8 } },
    audio: { codec: "libopus" },
  },
  {
    file: "vp8-vorbis.webm",
    video: { codec: "libvpx", options: { "auto-alt-ref": 1, "lag-in-frames": 16, "cpu-used": 5, b: "200k" } },
    audio: { codec: "libvorbis" },
  },
  { file: "av1.mp4", video: { codec: "libsvtav1", options: { preset: 10 } }, audio: { codec: "libopus" } },
  {
    file: "mpeg4-mp3.avi",
    video: { codec: "mpeg4", timeBase: fps(1, 25), options: { bf: 2 } },
    audio: { codec: "libmp3lame", sampleRate: 44_100 },
    expect: { audio: { sampleRate: 44_100, channels: 2 } },
  },
  { file: "theora-vorbis.ogv", video: { codec: "libtheora", timeBase: fps(1, 25) }, audio: { codec: "libvorbis" } },
  { file: "wmv.asf", video: { codec: "wmv2", timeBase: fps(1, 25) }, audio: { codec: "wmav2" } },
  {
    file: "flash.flv",
    video: { codec: "flv", timeBase: fps(1, 25) },
    audio: { codec: "libmp3lame", sampleRate: 44_100 },
  },
  { file: "h264.ts", video: { options: { bf: 3 } }, audio: { codec: "mp2" } },
  {
    file: "program.mpg",
    video: { codec: "mpeg2video", timeBase: fps(1, 25), options: { bf: 2 } },
    audio: { codec: "mp2" },
    format: "vob",
  },
  {
    file: "interlaced.ts",
    video: {
      codec: "mpeg2video",
      width: 352,
      height: 288,
      timeBase: fps(1, 25),
      isInterlaced: true,
      options: { b: "1M" },
    },
    audio: { codec: "mp2" },
    expect: { media: { video: { interlaced: true } } },
  },
  {
    file: "interlaced-h264.ts",
    video: { isInterlaced: true, height: 192 },
    audio: { codec: "mp2" },
    expect: { media: { video: { interlaced: true } } },
  },
  { file: "prores.mov", video: { codec: "prores_ks", pixelFormat: "yuv422p10le" }, audio: { codec: "pcm_s16le" } },
  { file: "rgb.mkv", video: { codec: "ffv1", pixelFormat: "bgra" }, audio: { codec: "flac" } },
  {
    file: "full-range.mp4",
    video: { pixelFormat: "yuvj420p", fullRange: true },
    expect: { media: { video: { fullRange: true } } },
  },
  {
    file: "turned-90.mp4",
    video: { rotation: 90, width: 640, height: 360 },
    expect: { top: "360p 360x640", brightCorner: 1 },
  },
  { file: "turned-180.mp4", video: { rotation: 180 }, expect: { top: "180p 320x180", brightCorner: 2 } },
  { file: "turned-270.mov", video: { rotation: 270 }, expect: { top: "180p 180x320", brightCorner: 3 } },
  { file: "odd-size.mkv", video: { codec: "ffv1", width: 427, height: 241 }, expect: { top: "240p 426x240" } },
  {
    file: "wide-pixels.mkv",
    video: { width: 360, height: 288, sampleAspectRatio: { num: 64, den: 45 } },
    expect: { top: "240p 426x240" },
  },
  {
    file: "hdr10.mkv",
    video: {
      codec: "libx265",
      pixelFormat: "yuv420p10le",
      colour: { primaries: 9, transfer: 16, matrix: 9 },
      options: { preset: "ultrafast", "x265-params": "log-level=none" },
    },
    expect: { media: { video: { colorTransfer: "smpte2084" } } },
  },
  {
    file: "variable.mp4",
    video: { frames: uneven },
    audio: { seconds: 9 },
    expect: { frames: 20, media: { video: { variableFrameRate: true, frameCount: 20 } } },
  },
  {
    file: "variable.mkv",
    video: { frames: uneven },
    audio: { seconds: 9 },
    expect: { frames: 20, media: { video: { variableFrameRate: true, frameCount: 20 } } },
  },
  { file: "silent.mp4", audio: null, expect: { audio: null } },
  {
    file: "mono.mkv",
    audio: { channels: 1, sampleRate: 22_050, codec: "pcm_s16le" },
    expect: { audio: { channels: 1, sampleRate: 44_100 } },
  },
  {
    file: "surround.mkv",
    audio: { codec: "ac3", channels: 6 },
    expect: { audio: { channels: 2, sampleRate: 48_000 } },
  },
  {
    file: "fine.mkv",
    audio: { codec: "flac", sampleRate: 96_000 },
    expect: { audio: { sampleRate: 48_000, channels: 2 } },
  },
  { file: "long-audio.mkv", audio: { seconds: 5 } },
  { file: "short-audio.mp4", audio: { seconds: 1.5 } },
  { file: "late-audio.mkv", audio: { startSeconds: 0.7, seconds: 1.3 } },
  {
    file: "very-late-audio.mkv",
    flash: [4, 4.2],
    video: { frames: 150 },
    audio: { startSeconds: 3.2, seconds: 2 },
  },
  { file: "early-audio.mkv", video: { startSeconds: 0.5 }, audio: { seconds: 2.5 } },
  { file: "early-audio.ts", video: { startSeconds: 0.5 }, audio: { codec: "mp2", seconds: 2.5 } },
  { file: "paused-audio.mkv", video: { frames: 150 }, audio: { seconds: 6, pause: [0.3, 3.7] }, flash: [4, 4.2] },
  { file: "no-sound.mkv", audio: { seconds: 0 }, expect: { audio: null } },
  { file: "short-pause.mkv", audio: { pause: [0.3, 0.8] } },
  { file: "late-start.ts", video: { startSeconds: 30 }, audio: { codec: "mp2", startSeconds: 30 } },
  { file: "one-frame.mp4", video: { frames: 1 }, audio: { seconds: 1.5 } },
];

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

      const media = await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl } });
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
  const { plan } = planEncode(await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl } }));
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
  const { plan } = planEncode(await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl } }));
  if (!plan?.audio) throw new Error("no plan with sound");
  await using out = await temporaryFolder();
  const result = await runTask({ ...limits, signal, task: { kind: "encode", sourceUrl, plan, outDir: out.path } });
  expect(result.audio?.segments).toHaveLength(1);
});

it("gets a poster that shows the planned moment, at the size of the largest rendition", async ({ signal }) => {
  const sourceUrl = join(folder.path, "turned-90.mp4");
  const media = await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl } });
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
