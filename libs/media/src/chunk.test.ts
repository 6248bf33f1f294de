import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sampleVideo, temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planColour } from "./colour.ts";
import { frameTimesOf } from "./frame-table.ts";
import { runTask } from "./task.ts";
import { inspectFile, inspectStream } from "./testing/index.ts";
import { makeMedia } from "./testing/make-media.ts";
import { flash, video } from "./testing/stream-cases.ts";
import { timescaleFor } from "./timescale.ts";
import type { ChunkPlan, ChunkResult, FrameTable, MediaInfo, RenditionPlan, VideoPlan } from "./types.ts";

const limits = { timeLimitMs: 120_000, noProgressMs: 60_000 };
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const path = (name: string) => join(folder.path, name);

/** Uneven times; the cuts fall between and on them. */
const uneven = Array.from({ length: 90 }, (_, index) => index * 0.04 + (index % 3) * 0.009 + (index > 40 ? 0.7 : 0));

beforeAll(async () => {
  folder = await temporaryFolder();
  const long = { frames: 110, options: { bf: 3, g: 250 } };
  await makeMedia(
    { path: path("closed.mp4"), flash, video: video({ frames: 110, options: { bf: 3, g: 30 } }) },
    {
      path: path("open-gop.mp4"),
      flash,
      video: video({ frames: 110, options: { bf: 3, "x264-params": "keyint=12:open-gop=1" } }),
    },
    {
      path: path("open-gop.ts"),
      flash,
      video: video({ frames: 110, options: { bf: 3, "x264-params": "keyint=12:open-gop=1" } }),
    },
    { path: path("one-key.mkv"), flash, video: video(long) },
    { path: path("one-key.ts"), flash, video: video(long) },
    {
      path: path("refresh.mp4"),
      flash,
      video: video({ frames: 110, options: { "x264-params": "intra-refresh=1:keyint=25" } }),
    },
    {
      path: path("hevc-open.mkv"),
      flash,
      video: video({
        codec: "libx265",
        frames: 110,
        options: { preset: "ultrafast", "x265-params": "log-level=none:keyint=20:open-gop=1:bframes=3" },
      }),
    },
    {
      path: path("vp9.webm"),
      flash,
      video: video({ codec: "libvpx-vp9", frames: 110, options: { deadline: "realtime", "cpu-used": 8, g: 40 } }),
    },
    {
      path: path("vp8.webm"),
      flash,
      video: video({
        codec: "libvpx",
        frames: 110,
        options: { "auto-alt-ref": 1, "lag-in-frames": 16, "cpu-used": 5, b: "200k", g: 40 },
      }),
    },
    { path: path("late-start.ts"), flash, video: video({ frames: 110, startSeconds: 30, options: { bf: 3, g: 30 } }) },
    { path: path("uneven.mp4"), flash, video: video({ frames: uneven, options: { bf: 3, g: 30 } }) },
    { path: path("uneven.mkv"), flash, video: video({ frames: uneven, options: { bf: 3, g: 30 } }) },
    {
      path: path("ntsc.mkv"),
      flash,
      video: video({ frames: 110, frameRate: { num: 30_000, den: 1001 }, options: { bf: 3, g: 30 } }),
    },
    {
      path: path("interlaced.ts"),
      flash,
      video: video({
        codec: "mpeg2video",
        width: 352,
        height: 288,
        timeBase: { num: 1, den: 25 },
        frames: 110,
        isInterlaced: true,
        options: { b: "1M", bf: 2, g: 12 },
      }),
    },
    { path: path("turned.mp4"), flash, video: video({ frames: 110, rotation: 90, options: { bf: 3, g: 30 } }) },
    { path: path("odd.mkv"), flash, video: video({ codec: "ffv1", frames: 110, width: 427, height: 241 }) },
    {
      path: path("hdr10.mkv"),
      flash,
      video: video({
        codec: "libx265",
        pixelFormat: "yuv420p10le",
        frames: 60,
        colour: { primaries: 9, transfer: 16, matrix: 9 },
        options: { preset: "ultrafast", "x265-params": "log-level=none:keyint=20" },
      }),
    },
  );
}, 120_000);
afterAll(() => folder.remove());

const rendition: RenditionPlan = {
  name: "180p",
  width: 320,
  height: 180,
  crf: 12,
  maxBitrate: 2_000_000,
  bufferBits: 3_000_000,
  profile: "high",
  level: 30,
  preset: "ultrafast",
};

/** Cuts at every so manyth frame: on key frames of the source and between them. */
function cutTable(table: FrameTable, frames: number, segments: number): ChunkPlan[] {
  const times = [...frameTimesOf(table)];
  const starts = times.filter((_, index) => index % frames === 0);
  const chunks: ChunkPlan[] = [];
  for (let first = 0; first < starts.length; first += segments) {
    const endPts = starts[first + segments];
    const startPts = starts[first] ?? 0n;
    chunks.push({
      index: chunks.length,
      startPts,
      ...(endPts === undefined ? {} : { endPts }),
      segmentPts: starts.slice(first, first + segments),
      firstSegment: first + 1,
      frameCount: times.filter((time) => time >= startPts && (endPts === undefined || time < endPts)).length,
      firstFrame: first * frames,
      sceneChange: false,
    });
  }
  return chunks;
}

function videoPlan(media: MediaInfo, table: FrameTable, renditions: RenditionPlan[]): VideoPlan {
  const source = media.video;
  if (!source) throw new Error("no video");
  const toneMap = source.colorTransfer === "smpte2084";
  const colour = planColour({
    primaries: source.colorPrimaries ?? 2,
    transfer: 2,
    matrix: source.colorMatrix ?? 2,
    width: source.width,
    height: source.height,
    toneMap,
  });
  return {
    streamIndex: source.streamIndex,
    rotation: source.rotation,
    deinterlace: source.interlaced,
    toneMap,
    frameRate: source.frameRate,
    frameCount: table.frameCount,
    renditions,
    startSeconds: source.startSeconds,
    timeBase: source.timeBase,
    startPts: source.startPts ?? 0n,
    timescale: timescaleFor(source.timeBase ?? { num: 1, den: 1 }),
    colorPrimaries: colour.primaries,
    colorTransfer: colour.transfer,
    colorMatrix: colour.matrix,
  };
}

/** Makes chunks as a worker with a core a slot does: the first with several threads, the others with one for all that there is to do. */
async function encodeInChunks(
  sourceUrl: string,
  options: {
    renditions: RenditionPlan[];
    outDir: string;
    signal: AbortSignal;
    frames?: number;
    segments?: number;
    qualityStride?: number;
  },
) {
  const { renditions, outDir, signal, frames = 17, segments = 2, qualityStride = 0 } = options;
  const media = await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl } });
  const table = await runTask({ ...limits, signal, task: { kind: "analyse", sourceUrl, media } });
  const plan = videoPlan(media, table, renditions);
  const chunks: ChunkResult[] = [];
  for (const chunk of cutTable(table, frames, segments)) {
    const task = { kind: "encode-chunk", sourceUrl, chunk, video: plan, qualityStride, outDir } as const;
    chunks.push(await runTask({ ...limits, signal, task, threads: chunk.index === 0 ? 3 : 1 }));
  }
  return { media, table, chunks };
}

describe("the chunks of", () => {
  it.for([
    ["closed.mp4"],
    ["open-gop.mp4"],
    ["open-gop.ts"],
    ["one-key.mkv"],
    ["one-key.ts"],
    ["refresh.mp4"],
    ["hevc-open.mkv"],
    ["vp9.webm"],
    ["vp8.webm"],
    ["late-start.ts"],
    ["uneven.mp4"],
    ["uneven.mkv"],
    ["ntsc.mkv"],
    ["interlaced.ts"],
    ["turned.mp4"],
    ["odd.mkv"],
    ["hdr10.mkv"],
  ])(
    "%s, joined, have every frame of the source once, at its time",
    { timeout: 120_000 },
    async ([file = ""], { signal }) => {
      await using out = await temporaryFolder();
      const { table, chunks } = await encodeInChunks(path(file), { renditions: [rendition], outDir: out.path, signal });
      const wanted = [...frameTimesOf(table)].map(
        (pts) => (Number(pts - table.startPts) * (table.timeBase?.num ?? 0)) / (table.timeBase?.den ?? 1),
      );
      const [source] = await inspectFile(path(file), { signal });
      expect(source?.frames).toBe(table.frameCount);
      const [track] = await inspectStream(out.path, { signal });
      expect(track?.errors).toEqual([]);
      expect(track?.frames).toBe(table.frameCount);
      expect(chunks.reduce((sum, chunk) => sum + chunk.frames, 0)).toBe(table.frameCount);
      for (const [index, time] of track?.frameTimes.entries() ?? []) {
        expect(Math.abs(time - (wanted[index] ?? 0))).toBeLessThan(0.0011);
        if (file === "hdr10.mkv" || file === "turned.mp4") continue;
        // The flash and its edges, on the right frames.
        expect(Math.abs((track?.brightness[index] ?? 0) - (source?.brightness[index] ?? 9))).toBeLessThan(0.1);
      }
      expectContinuous(chunks);
    },
  );

  it("a real video are the frames that were there, in every rendition", { timeout: 300_000 }, async ({ signal }) => {
    await using out = await temporaryFolder();
    const small = { ...rendition, name: "90p", width: 160, height: 90 };
    const { table, chunks } = await encodeInChunks(sampleVideo, {
      renditions: [rendition, small],
      outDir: out.path,
      signal,
      frames: 61,
      segments: 2,
      qualityStride: 2,
    });
    const tracks = await inspectStream(out.path, { signal });
    const [source] = await inspectFile(sampleVideo, { signal });
    for (const track of tracks) {
      expect(track.errors).toEqual([]);
      expect(track.frames).toBe(table.frameCount);
      const differences = track.brightness.map((value, index) => Math.abs(value - (source?.brightness[index] ?? 9)));
      expect(Math.max(...differences)).toBeLessThan(0.03);
    }
    expectContinuous(chunks);
    const files = await readdir(out.path, { recursive: true });
    expect(files.filter((name) => name.includes("quality"))).toEqual([]);
    const measured = chunks.flatMap((chunk) => chunk.renditions.flatMap((track) => track.quality ?? []));
    // Each chunk has its sample.
    expect(measured.length).toBe(chunks.length * 2);
    for (const { frames, xpsnrSum, ssimSum } of measured) {
      expect(frames).toBe(4);
      expect(xpsnrSum / frames).toBeGreaterThan(35);
      expect(ssimSum / frames).toBeGreaterThan(0.9);
      expect(ssimSum / frames).toBeLessThanOrEqual(1);
    }
  });

  it.for([
    ["hevc", "ultrafast", "main", /^hvc1\.1\.6\.L\d+\./],
    ["av1", "12", "main", /^av01\.0\.0\dM\.08$/],
  ] as const)("a video as %s play, too", { timeout: 120_000 }, async ([codec, preset, profile, codecs], { signal }) => {
    await using out = await temporaryFolder();
    const renditions = [{ ...rendition, codec, preset, profile, crf: 25, level: 0, maxBitrate: 0, bufferBits: 0 }];
    const { table, chunks } = await encodeInChunks(path("closed.mp4"), {
      renditions,
      outDir: out.path,
      signal,
      frames: 25,
      qualityStride: 1,
    });
    const [track] = await inspectStream(out.path, { signal });
    expect(track?.errors).toEqual([]);
    expect(track?.frames).toBe(table.frameCount);
    expect(chunks[0]?.renditions[0]?.codecs).toMatch(codecs);
    expect(chunks[0]?.renditions[0]?.quality?.frames).toBe(50);
    expect((chunks[0]?.renditions[0]?.quality?.xpsnrSum ?? 0) / 50).toBeGreaterThan(30);
    expectContinuous(chunks);
  });
});

it("a chunk that is made in one thread is the same to the byte each time, under a cap as well", async ({ signal }) => {
  const files = async () => {
    await using out = await temporaryFolder();
    const { chunks } = await encodeInChunks(path("closed.mp4"), { renditions: [rendition], outDir: out.path, signal });
    const bytes = (name: number) => readFile(join(out.path, rendition.name, `${name}.m4s`));
    const later = chunks.slice(1).flatMap(({ renditions }) => renditions[0]?.segments ?? []);
    return Promise.all(later.map((_, index) => bytes(index + 3)));
  };
  const [once, again] = [await files(), await files()];
  expect(once.length).toBeGreaterThan(3);
  expect(again).toEqual(once);
});

/** Each chunk begins where the one before ended, with the same configuration. */
function expectContinuous(chunks: ChunkResult[]): void {
  const ends = new Map<string, number>();
  for (const chunk of chunks) {
    for (const track of chunk.renditions) {
      expect(track.start).toBe(ends.get(track.name) ?? 0);
      ends.set(
        track.name,
        track.segments.reduce((end, segment) => end + segment.duration, track.start),
      );
      const first = chunks[0]?.renditions.find(({ name }) => name === track.name);
      expect(track.initSha256).toEqual(first?.initSha256);
      expect(track.segments.every(({ keyFrameBytes = 0, bytes }) => keyFrameBytes > 0 && keyFrameBytes <= bytes)).toBe(
        true,
      );
    }
  }
}
