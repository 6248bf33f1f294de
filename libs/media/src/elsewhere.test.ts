/** Whatever a file names, in a playlist, a reference of a film or its own name: nothing but the file itself is opened. */
import { execFile } from "node:child_process";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keepCompiledCode, prepareChildren, runTask } from "./task.ts";
import { linkedParts } from "./testing/hostile-matroska.ts";
import { referring } from "./testing/hostile-mp4.ts";
import { makeMedia } from "./testing/make-media.ts";
import { audio, flash, video } from "./testing/stream-cases.ts";
import { wholeWay } from "./testing/whole-way.ts";

const limits = { timeLimitMs: 60_000, noProgressMs: 20_000 };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let children: AsyncDisposable;
let server: Server;
let requests = 0;
/** What must not be opened. Whoever reads from the pipe waits for a writer that never comes, and ends as a machine's fault. */
let addresses: string[];
const path = (name: string) => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  keepCompiledCode(path("code"));
  children = prepareChildren();
  const small = { width: 160, height: 90, frames: 25 };
  await makeMedia(
    { path: path("sound.mp4"), flash, video: video(small), audio: audio({ seconds: 1 }) },
    { path: path("sound.mkv"), flash, video: video(small), audio: audio({ seconds: 1 }) },
  );
  server = createServer((_, response) => {
    requests++;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await promisify(execFile)("mkfifo", [path("pipe.mp4")]);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret.mp4`;
  addresses = [url, path("pipe.mp4"), `file://${path("pipe.mp4")}`, "pipe.mp4"];
}, 60_000);
afterAll(async () => {
  await children[Symbol.asyncDispose]();
  keepCompiledCode(undefined);
  await new Promise((resolve) => server.close(resolve));
  await folder.remove();
});

it("a film whose pictures are said to be elsewhere", { timeout: 120_000 }, async ({ signal }) => {
  const sound = await readFile(path("sound.mp4"));
  for (const address of addresses) {
    for (const film of referring(sound, address)) {
      await writeFile(path("refers.mp4"), film);
      // What is elsewhere is looked for in the file itself, where it happens to be.
      await wholeWay(path("refers.mp4"), { ...limits, signal });
    }
  }
  expect(requests).toBe(0);
});

it("a film whose parts are in other files", { timeout: 60_000 }, async ({ signal }) => {
  await writeFile(path("linked.mkv"), linkedParts(await readFile(path("sound.mkv")), "pipe.mp4"));
  const { result } = await wholeWay(path("linked.mkv"), { ...limits, signal });
  expect(result?.video[0]?.frames).toBe(25);
});

describe("a list that is disguised as a video", () => {
  const filler = `#${" ".repeat(5000)}\n`;
  const bom = "\uFEFF";
  it.concurrent.for<[string, (address: string) => string | Buffer]>([
    ["playlist.mp4", (address) => `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n${address}\n#EXT-X-ENDLIST\n`],
    ["playlist-with-a-mark.ts", (address) => `${bom}#EXTM3U\n#EXTINF:4,\n${address}\n`],
    ["late-playlist.m3u8", (address) => `#EXTM3U\n${filler}#EXTINF:4,\n${address}\n`],
    ["binary-playlist.m3u8", (address) => Buffer.from(`\x01#EXTM3U\n#EXTINF:4,\n${address}\n`)],
    ["key.m3u8", (address) => `#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="${address}"\n#EXTINF:4,\n${address}\n`],
    ["list.mkv", (address) => `ffconcat version 1.0\nfile '${address}'\n`],
    ["list-with-a-mark.txt", (address) => `${bom}ffconcat version 1.0\nfile '${address}'\n`],
    ["manifest.mp4", (address) => `<?xml version="1.0"?><MPD><Period><BaseURL>${address}</BaseURL></Period></MPD>`],
    ["smooth.mp4", (address) => `<SmoothStreamingMedia><StreamIndex Url="${address}"/></SmoothStreamingMedia>`],
    [
      "session.mp4",
      (address) => `v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 1 RTP/AVP 96\na=control:${address}\n`,
    ],
    ["metadata.mp4", (address) => `;FFMETADATA1\ntitle=${address}\n`],
    ["tee.mp4", (address) => `[f=mp4]${address}|[f=mpegts]${address}\n`],
    ["shortcut.asx", (address) => `<asx version="3.0"><entry><ref href="${address}"/></entry></asx>`],
    ["list.pls", (address) => `[playlist]\nFile1=${address}\nNumberOfEntries=1\n`],
    ["media.rtsp", (address) => `RTSPtext\n${address}\n`],
    ["reference.mov", (address) => `RTSPtextRTSP://${address}\r\n`],
    ["vector.mp4", (address) => `<svg xmlns="http://www.w3.org/2000/svg"><image href="${address}"/></svg>`],
    ["script.avs", (address) => `DirectShowSource("${address}")\n`],
  ])("%s", { timeout: 60_000 }, async ([name, list], { signal }) => {
    for (const address of addresses) {
      await writeFile(path(name), list(address));
      const { refusal } = await wholeWay(path(name), { ...limits, signal });
      expect(refusal).toMatch(/not a video|names other files|describes a network stream/);
    }
    expect(requests).toBe(0);
  });
});

describe("a file is a file, whatever its name", () => {
  it.concurrent.for([
    "%d.mp4",
    "picture-%03d.jpg",
    "*.mp4",
    "-i.mp4",
    "concat:sound.mp4|sound.mp4",
    "file:sound.mp4",
    "pipe:0",
    "tee:[f=mp4]a|b.mp4",
    'it\'s "quoted"; $(exit 1) `exit 1`.mp4',
    "a\nb\tc.mp4",
    "\u202Egpj.mp4",
    "x.m3u8",
    "x.ffconcat",
  ])("%j", async (name, { signal }) => {
    await copyFile(path("sound.mp4"), path(name));
    const { video: track } = await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl: path(name) } });
    expect(track?.frameCount).toBe(25);
  });
});
