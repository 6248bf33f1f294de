/** Odd and hostile files on the whole way of an encode, task by task as workers do it: each ends as a stream that passes its verification, or with a sentence about what is wrong with it. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { completePlan } from "./plan/complete-plan.ts";
import { planEncode } from "./plan/plan-encode.ts";
import { playlistFiles } from "./playlist.ts";
import { type MediaTask, runTask, TaskError } from "./task.ts";
import { type MediaSpec, makeMedia } from "./testing/make-media.ts";
import { audio, flash, video } from "./testing/stream-cases.ts";
import type { ChunkResult, EncodePlan, StreamResult, TrackResult } from "./types.ts";

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
let server: Server;
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
  server = createServer(async (request, response) => {
    const bytes = await readFile(join(folder.path, new URL(request.url ?? "", "http://a").pathname)).catch(
      () => undefined,
    );
    const range = /^bytes=0-(\d+)$/.exec(request.headers.range ?? "");
    const end = Math.min(bytes?.length ?? 0, Number(range?.[1] ?? bytes?.length) + 1);
    if (!bytes) response.writeHead(404).end();
    else {
      response.writeHead(range ? 206 : 200, range ? { "content-range": `bytes 0-${end - 1}/${bytes.length}` } : {});
      response.end(bytes.subarray(0, end));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
}, 240_000);
afterAll(async () => {
  server.close();
  await folder.remove();
});

describe("becomes a stream that passes its verification", () => {
  it.for(good.map(({ file }) => file))("%s", { timeout: 120_000 }, async (file, { signal }) => {
    const end = await wholeWay(file, signal);
    expect(end.refusal).toBeUndefined();
    expect(end.plan?.chunks?.length).toBeGreaterThan(1);
    expect(end.result?.video.map((track) => track.frames)).toEqual(end.result?.video.map(() => frames));
    expect(end.failedChecks).toEqual([]);
  });

  it("with every sound track", { timeout: 120_000 }, async ({ signal }) => {
    const { plan } = await wholeWay("three-tracks.mkv", signal);
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
    const { refusal } = await wholeWay(spoilt, signal);
    expect(refusal).toMatch(sentence);
    expect(refusal).toMatch(/^[A-Z].*\.$/);
  });
});

type End = { refusal?: string; plan?: EncodePlan; result?: StreamResult; failedChecks?: string[] };

/** Probe, plan of the head, analysis, whole plan, every chunk and track of sound, verification. A fault of the input is the answer; any other is thrown. */
async function wholeWay(file: string, signal: AbortSignal): Promise<End> {
  const run = <Task extends MediaTask>(task: Task) => runTask({ ...limits, signal, task });
  const sourceUrl = path(file);
  const outDir = path(`${file}-stream`);
  await mkdir(outDir, { recursive: true });
  try {
    const media = await run({ kind: "probe", sourceUrl });
    const begun = planEncode(media, { preset: "ultrafast", segmentSeconds: 2 });
    if (!begun.plan) return { refusal: begun.refusal };
    const table = await run({ kind: "analyse", sourceUrl, media });
    const { plan, refusal } = completePlan(begun.plan, table, { seekable: media.video?.seekable ?? false });
    if (!plan?.video) return { refusal: refusal ?? "" };
    const { segmentSeconds, video: pictures } = plan;
    const chunks: ChunkResult[] = [];
    for (const chunk of plan.chunks ?? [])
      chunks.push(await run({ kind: "encode-chunk", sourceUrl, chunk, video: pictures, qualityStride: 8, outDir }));
    const audioTracks: TrackResult[] = [];
    for (const track of plan.audioTracks ?? []) {
      const task = {
        kind: "audio",
        sourceUrl,
        audio: track,
        segmentSeconds,
        startSeconds: pictures.startSeconds,
        outDir,
      } as const;
      audioTracks.push(await run(task));
    }
    const result: StreamResult = { video: joined(chunks), audio: audioTracks[0], audioTracks, poster: "" };
    for (const { path: name, text } of playlistFiles(result)) await writeFile(join(outDir, name), text);
    const streamUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${file}-stream`;
    const report = await run({ kind: "verify", streamUrl, plan, result });
    const failedChecks = report.checks
      .filter(({ outcome }) => outcome === "failed")
      .map(({ name, detail }) => `${name}: ${detail}`);
    return { plan, result, failedChecks };
  } catch (error) {
    if (error instanceof TaskError && error.kind === "input") return { refusal: error.message };
    throw error;
  }
}

/** The chunks' parts of each rendition, one behind the other. */
function joined(chunks: ChunkResult[]): TrackResult[] {
  return (chunks[0]?.renditions ?? []).map((first, index) => ({
    ...first,
    segments: chunks.flatMap((chunk) => chunk.renditions[index]?.segments ?? []),
    frames: chunks.reduce((sum, chunk) => sum + chunk.frames, 0),
  }));
}

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
