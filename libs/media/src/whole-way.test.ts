/** Odd and hostile files on the whole way of an encode, task by task as workers do it: each ends as a stream that passes its verification, or with a sentence about what is wrong with it. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MediaSpec, makeMedia } from "./testing/make-media.ts";
import { audio, flash, video } from "./testing/stream-cases.ts";
import { wholeWay } from "./testing/whole-way.ts";

const limits = { timeLimitMs: 120_000, noProgressMs: 60_000, memoryLimitBytes: 2 ** 30 };
const frames = 150;
const even = video({ frames, options: { bf: 3, g: 40 } });
const sound = audio({ seconds: 6 });
const hdr = {
  codec: "libx265",
  pixelFormat: "yuv420p10le",
  frames,
  options: { preset: "ultrafast", "x265-params": "log-level=none" },
};
const uneven = Array.from(
  { length: frames },
  (_, index) => index * 0.04 + (index % 3) * 0.009 + (index > 70 ? 1.1 : 0),
);

/** Sources that become streams: what FFmpeg makes, perhaps with bytes changed afterwards. */
const good: (Omit<MediaSpec, "path" | "flash"> & { file: string; change?: (bytes: Buffer) => Buffer })[] = [
  { file: "variable.mkv", video: video({ frames: uneven, options: { bf: 3, g: 40 } }), audio: sound },
  { file: "turned.mp4", video: video({ ...even, rotation: 90 }), audio: sound },
  {
    file: "interlaced.ts",
    video: video({
      codec: "mpeg2video",
      width: 352,
      height: 288,
      timeBase: { num: 1, den: 25 },
      frames,
      isInterlaced: true,
      options: { b: "1M", bf: 2, g: 12 },
    }),
    audio: audio({ codec: "mp2", seconds: 6 }),
  },
  {
    file: "wide-pixels.mkv",
    video: video({ ...even, width: 360, height: 288, sampleAspectRatio: { num: 64, den: 45 } }),
  },
  { file: "odd.mkv", video: video({ codec: "ffv1", frames, width: 427, height: 241 }) },
  { file: "full-range.mp4", video: video({ ...even, pixelFormat: "yuvj420p", fullRange: true }) },
  { file: "ten-bit.mkv", video: video(hdr) },
  { file: "hdr10.mkv", video: video({ ...hdr, colour: { primaries: 9, transfer: 16, matrix: 9 } }), audio: sound },
  { file: "hlg.mkv", video: video({ ...hdr, colour: { primaries: 9, transfer: 18, matrix: 9 } }), audio: sound },
  { file: "three-tracks.mkv", video: even, audio: { ...sound, tracks: 3 } },
  // Every "duration" of the headers says a hundred times as much.
  { file: "says-longer.mp4", video: even, audio: sound, change: (bytes) => scaleDurations(bytes, 100) },
  { file: "says-days.mp4", video: even, audio: sound, change: (bytes) => scaleDurations(bytes, 100_000) },
  { file: "says-shorter.mp4", video: even, audio: sound, change: (bytes) => scaleDurations(bytes, 0.1) },
];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const path = (name: string) => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  await makeMedia(
    ...good.map(({ file, change: _change, ...spec }) => ({ ...spec, path: path(file), flash })),
    { path: path("plain.mp4"), flash, video: even, audio: sound, muxerOptions: { movflags: "faststart" } },
    { path: path("plain.mkv"), flash, video: video({ ...even, options: { g: 1, crf: 5 } }), audio: sound },
    { path: path("many-tracks.mkv"), flash, video: even, audio: { ...sound, tracks: 33 } },
    {
      path: path("crowd.mkv"),
      flash,
      video: video({ frames: 25 }),
      audio: { ...audio({ seconds: 1 }), codec: "pcm_s16le", tracks: 80 },
    },
    {
      path: path("pictures.avi"),
      flash,
      video: video({
        codec: "mjpeg",
        frames,
        timeBase: { num: 1, den: 25 },
        fullRange: true,
        options: { strict: "unofficial" },
      }),
    },
  );
  for (const { file, change } of good) if (change) await writeFile(path(file), change(await readFile(path(file))));
}, 240_000);
afterAll(() => folder.remove());

describe("becomes a stream that passes its verification", () => {
  it.for(good.map(({ file }) => file))("%s", { timeout: 120_000 }, async (file, { signal }) => {
    const end = await wholeWay(path(file), { ...limits, signal });
    expect(end.refusal).toBeUndefined();
    expect(end.plan?.chunks?.length).toBeGreaterThan(1);
    expect(end.result?.video.map((track) => track.frames)).toEqual(end.result?.video.map(() => frames));
    expect(end.failedChecks).toEqual([]);
  });

  it("with every sound track", { timeout: 120_000 }, async ({ signal }) => {
    const { plan } = await wholeWay(path("three-tracks.mkv"), { ...limits, signal });
    expect(plan?.audioTracks?.map(({ name }) => name)).toEqual(["audio", "audio-2", "audio-3"]);
  });
});

describe("ends with a sentence", () => {
  it.for<[string, string, (bytes: Buffer) => Buffer | Promise<Buffer>, RegExp]>([
    ["cut in the middle", "plain.mkv", (bytes) => bytes.subarray(0, bytes.length / 2), /ends early/],
    ["more sound tracks than are taken", "many-tracks.mkv", (bytes) => bytes, /33 audio tracks/],
    [
      "noise over the second half",
      "plain.mp4",
      withNoise,
      /^Only \d+ of 150 pictures can be decoded: the file is damaged/,
    ],
    ["pictures that grow beyond all bounds on the way", "pictures.avi", withHugePictures, /damaged/],
    ["more tracks than are opened", "crowd.mkv", (bytes) => bytes, /not a video that Kinora can read|audio tracks/],
  ])("%s", { timeout: 120_000 }, async ([name, file, change, sentence], { signal }) => {
    const spoilt = `${name.replaceAll(" ", "-")}-${file}`;
    await writeFile(path(spoilt), await change(await readFile(path(file))));
    const { refusal } = await wholeWay(path(spoilt), { ...limits, signal });
    expect(refusal).toMatch(sentence);
    expect(refusal).toMatch(/^[A-Z].*\.$/);
  });
});

/** Multiplies the durations in an MP4's movie, track and media headers (ISO/IEC 14496-12, 8.2.2, 8.3.2 and 8.4.2, all of version 0). */
function scaleDurations(bytes: Buffer, by: number): Buffer {
  const changed = Buffer.from(bytes);
  for (const [box, offset] of [
    ["mvhd", 20],
    ["tkhd", 24],
    ["mdhd", 20],
  ] as const) {
    for (let at = changed.indexOf(box); at > 0; at = changed.indexOf(box, at + 4)) {
      const place = at + offset;
      changed.writeUInt32BE(Math.min(2 ** 32 - 1, Math.round(changed.readUInt32BE(place) * by)), place);
    }
  }
  return changed;
}

/** Writes noise over the pictures of the second half. */
function withNoise(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  const data = changed.indexOf("mdat");
  for (let at = Math.floor((data + changed.length) / 2); at < changed.length; at++)
    changed[at] = (at * 2_654_435_761) >>> 24;
  return changed;
}

/** Has the JPEG pictures of the second half say that they are 20000 × 20000. */
function withHugePictures(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  const header = "ffc00011";
  for (
    let at = changed.indexOf(header, changed.length / 2, "hex");
    at > 0;
    at = changed.indexOf(header, at + 4, "hex")
  ) {
    changed.writeUInt16BE(20_000, at + 5);
    changed.writeUInt16BE(20_000, at + 7);
  }
  return changed;
}
