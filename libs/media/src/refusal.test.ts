import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { inspect } from "node:util";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planEncode } from "./plan/plan-encode.ts";
import { runTask, TaskError } from "./task.ts";
import { type MediaSpec, makeMedia } from "./testing/make-media.ts";

const limits = { timeLimitMs: 60_000, noProgressMs: 30_000 };
const flash: MediaSpec["flash"] = [1, 1.2];
const video: NonNullable<MediaSpec["video"]> = {
  codec: "libx264",
  width: 320,
  height: 180,
  frameRate: { num: 25, den: 1 },
  frames: 150,
  // Every picture is of about the same size, so that half of the file is half of the time.
  options: { g: 1, crf: 5 },
};
const audio: NonNullable<MediaSpec["audio"]> = { codec: "aac", sampleRate: 48_000, channels: 2, seconds: 6 };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const path = (name: string) => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  await makeMedia(
    { path: path("index-last.mp4"), flash, video, audio },
    { path: path("index-first.mp4"), flash, video, audio, muxerOptions: { movflags: "faststart" } },
    { path: path("fragmented.mp4"), flash, video, audio, muxerOptions: { movflags: "frag_keyframe+empty_moov" } },
    { path: path("whole.mkv"), flash, video, audio },
    {
      path: path("whole.avi"),
      flash,
      video: { ...video, codec: "mpeg4", timeBase: { num: 1, den: 25 }, options: { b: "1M", g: 1 } },
      audio: { ...audio, codec: "libmp3lame" },
    },
    { path: path("whole.ts"), flash, video, audio: { ...audio, codec: "mp2" } },
    {
      path: path("whole.ogv"),
      flash,
      video: { ...video, codec: "libtheora", timeBase: { num: 1, den: 25 }, options: { b: "1M", g: 1 } },
      audio: { ...audio, codec: "libvorbis" },
    },
    {
      path: path("whole.flv"),
      flash,
      video: { ...video, codec: "flv", timeBase: { num: 1, den: 25 }, options: { b: "1M", g: 1 } },
      audio: { ...audio, codec: "libmp3lame", sampleRate: 44_100 },
    },
    {
      path: path("whole.asf"),
      flash,
      video: { ...video, codec: "wmv2", timeBase: { num: 1, den: 25 }, options: { b: "1M", g: 1 } },
      audio: { ...audio, codec: "wmav2" },
    },
    { path: path("sound.mp4"), flash, audio },
    { path: path("sound.mkv"), flash, audio: { ...audio, codec: "libvorbis" } },
    { path: path("sound.ogg"), flash, audio: { ...audio, codec: "libvorbis" } },
    { path: path("sound.mp3"), flash, audio: { ...audio, codec: "libmp3lame" } },
    { path: path("sound.aac"), format: "adts", flash, audio },
    {
      path: path("pictures.avi"),
      flash,
      video: {
        ...video,
        codec: "mjpeg",
        timeBase: { num: 1, den: 25 },
        fullRange: true,
        options: { strict: "unofficial" },
      },
    },
    { path: path("picture.mp4"), flash, video: { ...video, frames: 1 } },
    {
      path: path("picture.jpg"),
      format: "image2",
      flash,
      video: { ...video, codec: "mjpeg", frames: 1, fullRange: true, options: { strict: "unofficial" } },
      muxerOptions: { update: 1 },
    },
  );
}, 60_000);
afterAll(() => folder.remove());

/** What a person reads about a file that can't be encoded, be it from the probe or from the plan. */
async function refusalOf(sourceUrl: string, signal: AbortSignal): Promise<string> {
  try {
    const media = await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl, whole: true } });
    return planEncode(media).refusal ?? `not refused: ${inspect(media)}`;
  } catch (error) {
    if (error instanceof TaskError && error.kind === "input") return error.message;
    throw error;
  }
}

describe("a file that is no video gets a sentence of its own", () => {
  it.concurrent.for<[string, string | Buffer, RegExp]>([
    ["text.mp4", "Dear diary,\nthis is not a video.\n", /text file/],
    ["empty.mp4", "", /empty/],
    ["zeros.mp4", Buffer.alloc(100_000), /zeros/],
    [
      "noise.mp4",
      Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * index * 31 + index * 7) % 256)),
      /not a video that Kinora can read/,
    ],
    [
      "only-a-start.mp4",
      Buffer.from("0000001c6674797069736f6d0000020069736f6d69736f32", "hex"),
      /not a video that Kinora can read|ends early/,
    ],
    ["playlist.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n", /playlist/],
    ["manifest.mp4", '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>', /DASH manifest/],
    ["list.mp4", "ffconcat version 1.0\nfile '/etc/hostname'\n", /list for joining/],
    ["subtitles.mp4", "1\n00:00:01,000 --> 00:00:02,000\nHello\n", /text file/],
    ["picture.mp4.gif", Buffer.concat([Buffer.from("GIF89a"), Buffer.alloc(500, 1)]), /picture \(GIF\)/],
  ])("%s", async ([name, content, sentence], { signal }) => {
    await writeFile(path(name), content);
    const refusal = await refusalOf(path(name), signal);
    expect(refusal).toMatch(sentence);
    expect(refusal).toMatch(/^[A-Z].*\.$/);
  });

  it.concurrent.for<[string, RegExp]>([
    ["sound.mp4", /only audio/],
    ["sound.mkv", /only audio/],
    ["sound.ogg", /only audio/],
    ["sound.mp3", /only audio/],
    ["sound.aac", /only audio/],
    ["picture.mp4", /still picture/],
    ["picture.jpg", /picture \(JPEG\)/],
  ])("%s", async ([name, sentence], { signal }) => {
    expect(await refusalOf(path(name), signal)).toMatch(sentence);
  });
});

describe("a video cut in half says where it ends", () => {
  it.concurrent.for<[string, number, RegExp]>([
    ["index-last.mp4", 0.5, /ends early, before the index/],
    ["index-first.mp4", 0.5, /ends early, at about [23] s of 6 s/],
    ["index-first.mp4", 0.97, /ends early, at about [56] s/],
    ["fragmented.mp4", 0.5, /ends early, (at about [234] s|before the index)/],
    ["whole.mkv", 0.5, /ends early, at about 3 s of 6 s/],
    ["whole.avi", 0.5, /ends early, at about [234] s/],
    ["whole.ts", 0.503, /ends early, at about [234] s/],
    ["whole.ogv", 0.5, /ends early, at about [234] s/],
    ["whole.flv", 0.5, /ends early, at about [234] s/],
    ["whole.asf", 0.5, /ends early, at about [234] s/],
  ])("%s after %f of its length", async ([name, part, sentence], { signal }) => {
    const bytes = await readFile(path(name));
    const cut = path(`cut-${part}-${name}`);
    await writeFile(cut, bytes.subarray(0, Math.floor(bytes.length * part)));
    expect(await refusalOf(cut, signal)).toMatch(sentence);
  });

  it.concurrent.for([
    "index-last.mp4",
    "index-first.mp4",
    "fragmented.mp4",
    "whole.mkv",
    "whole.avi",
    "whole.ts",
    "whole.ogv",
    "whole.flv",
    "whole.asf",
  ])("%s is taken when it is whole", async (name, { signal }) => {
    expect(await refusalOf(path(name), signal)).toMatch(/^not refused/);
  });
});

describe("a video with huge pictures is refused by its header", () => {
  it("in MP4", async ({ signal }) => {
    const bytes = await readFile(path("index-first.mp4"));
    const entry = bytes.indexOf("avc1", bytes.indexOf("stsd"));
    bytes.writeUInt16BE(20_000, entry + 28);
    bytes.writeUInt16BE(20_000, entry + 30);
    await writeFile(path("huge.mp4"), bytes);
    expect(await refusalOf(path("huge.mp4"), signal)).toMatch(/too large: 20000 × 20000 pixels/);
  });

  it("in Matroska", async ({ signal }) => {
    const bytes = await readFile(path("whole.mkv"));
    // PixelWidth and PixelHeight, two bytes each.
    for (const [id, value] of [
      ["b08201", 320],
      ["ba81", 180],
    ] as const) {
      const at = bytes.indexOf(Buffer.from(id, "hex"));
      expect(at, `${id} ${value}`).toBeGreaterThan(0);
    }
    const width = bytes.indexOf(Buffer.from("b0820140", "hex"));
    bytes.writeUInt16BE(20_000, width + 2);
    await writeFile(path("huge.mkv"), bytes);
    expect(await refusalOf(path("huge.mkv"), signal)).toMatch(/too large: 20000 × 180 pixels/);
  });

  it("in the pictures themselves, where the container says nothing of it", async ({ signal }) => {
    const bytes = await readFile(path("pictures.avi"));
    // The size in each JPEG's frame header.
    for (let at = bytes.indexOf("ffc00011", 0, "hex"); at > 0; at = bytes.indexOf("ffc00011", at + 1, "hex")) {
      bytes.writeUInt16BE(20_000, at + 5);
      bytes.writeUInt16BE(20_000, at + 7);
    }
    await writeFile(path("huge-inside.avi"), bytes);
    expect(await refusalOf(path("huge-inside.avi"), signal)).toMatch(/can be decoded/);
  });

  it("in AVI", async ({ signal }) => {
    const bytes = await readFile(path("whole.avi"));
    const header = bytes.indexOf("strf", bytes.indexOf("vids"));
    bytes.writeInt32LE(20_000, header + 12);
    bytes.writeInt32LE(20_000, header + 16);
    await writeFile(path("huge.avi"), bytes);
    expect(await refusalOf(path("huge.avi"), signal)).toMatch(/too large: 20000 × 20000 pixels/);
  });
});

it("never fetches what a playlist names, nor reads a file that a movie refers to", async ({ signal }) => {
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`;
  try {
    // Nothing that looks at the first bytes can know all lists; what counts is that FFmpeg opens none.
    await writeFile(
      path("hidden.m3u8"),
      Buffer.concat([Buffer.from([1]), Buffer.from(`#EXTM3U\n#EXTINF:4,\n${url}\n`)]),
    );
    expect(await refusalOf(path("hidden.m3u8"), signal)).toMatch(/not a video/);
    const bytes = await readFile(path("index-first.mp4"));
    // The track's data are said to be at an address ("url " without the flag for "in this file").
    const at = bytes.indexOf("url ", bytes.indexOf("dref"));
    bytes.writeUInt32BE(0, at + 4);
    await writeFile(path("reference.mp4"), bytes);
    await refusalOf(path("reference.mp4"), signal);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  expect(requests).toBe(0);
});
