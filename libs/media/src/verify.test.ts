import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { sampleVideo, temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planEncode } from "./plan/plan-encode.ts";
import { playlistFiles } from "./playlist.ts";
import { runTask } from "./task.ts";
import type { EncodePlan, StreamResult } from "./types.ts";

const limits = { timeLimitMs: 120_000, noProgressMs: 60_000 };
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: Server;
let plan: EncodePlan;
let result: StreamResult;

/** A stream of two small renditions and sound, and a server for copies of it. */
beforeAll(async () => {
  folder = await temporaryFolder();
  const signal = AbortSignal.timeout(120_000);
  const media = await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl: sampleVideo, whole: true } });
  const whole = planEncode(media).plan;
  if (!whole?.video) throw new Error("no plan");
  plan = {
    ...whole,
    video: { ...whole.video, renditions: whole.video.renditions.slice(-2) },
    chunks: [],
    complete: true,
  };
  const outDir = join(folder.path, "good");
  await mkdir(outDir);
  result = await runTask({ ...limits, signal, task: { kind: "encode", sourceUrl: sampleVideo, plan, outDir } });
  for (const { path, text } of playlistFiles(result)) await writeFile(join(outDir, path), text);
  server = createServer(async (request, response) => {
    try {
      const bytes = await readFile(join(folder.path, new URL(request.url ?? "", "http://a").pathname));
      const range = /^bytes=0-(\d+)$/.exec(request.headers.range ?? "");
      const end = Math.min(bytes.length, Number(range?.[1] ?? bytes.length) + 1);
      response.writeHead(range ? 206 : 200, range ? { "content-range": `bytes 0-${end - 1}/${bytes.length}` } : {});
      response.end(bytes.subarray(0, end));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
}, 120_000);
afterAll(async () => {
  server.close();
  await folder.remove();
});

async function verify(
  name: string,
  signal: AbortSignal,
  changes: { plan?: Partial<EncodePlan>; result?: StreamResult } = {},
) {
  const streamUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`;
  const task = {
    kind: "verify",
    streamUrl,
    plan: { ...plan, ...changes.plan },
    result: changes.result ?? result,
  } as const;
  return runTask({ ...limits, signal, task });
}

it("passes a good stream, and says what was looked at", async ({ signal }) => {
  const report = await verify("good", signal);
  expect(report.checks.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  expect(report.passed).toBe(true);
  expect(report.decodedFrames).toBeGreaterThan(200);
  const names = new Set(report.checks.map(({ name }) => name));
  for (const name of [
    "files",
    "continuity",
    "configuration",
    "frame-count",
    "key-frame-times",
    "av-offset",
    "durations",
    "hls-playlist",
    "key-frame-playlist",
    "hls-master",
    "dash-manifest",
    "declared-bandwidth",
    "peak",
    "seams",
  ])
    expect(names).toContain(name);
});

describe("a stream is not published when", () => {
  const text = (path: string, from: string | RegExp, to: string) => async (stream: string) => {
    const before = await readFile(join(stream, path), "utf8");
    const after = before.replace(from, to);
    if (after === before) throw new Error(`nothing to replace in ${path}`);
    await writeFile(join(stream, path), after);
  };
  const bytes = (path: string, change: (content: Buffer) => Buffer) => async (stream: string) =>
    writeFile(join(stream, path), change(await readFile(join(stream, path))));
  const at = (content: Buffer, type: string) => content.indexOf(type, 0, "latin1");

  it.for<[string, (stream: string) => Promise<void>, string]>([
    ["a segment is missing", (stream) => rm(join(stream, "240p/2.m4s")), "files"],
    ["the initialisation segment is missing", (stream) => rm(join(stream, "240p/init.mp4")), "hls-playlist"],
    ["a segment was cut off", bytes("240p/2.m4s", (content) => content.subarray(0, content.length - 9)), "files"],
    ["a segment is another's", (stream) => cp(join(stream, "240p/1.m4s"), join(stream, "240p/2.m4s")), "continuity"],
    [
      "a segment lies about its time",
      bytes("240p/2.m4s", (content) => {
        const place = at(content, "tfdt") + 8;
        content.writeBigUInt64BE(content.readBigUInt64BE(place) + 1n, place);
        return content;
      }),
      "continuity",
    ],
    [
      "a segment does not start with an IDR picture",
      bytes("240p/2.m4s", (content) => {
        // Other slices of the picture, had it several, would tell the same.
        const data = at(content, "mdat") + 4;
        for (let unit = data; unit + 4 < content.length; ) {
          const length = content.readUInt32BE(unit);
          if (((content[unit + 4] ?? 0) & 0x1f) === 5) {
            content[unit + 4] = 0x61;
            break;
          }
          unit += 4 + length;
        }
        return content;
      }),
      "key-frame-times",
    ],
    [
      "a segment holds rubbish",
      bytes("240p/2.m4s", (content) => content.fill(0x55, at(content, "mdat") + 2000, content.length - 100)),
      "seams",
    ],
    [
      "the initialisation segment is another's",
      bytes("240p/init.mp4", (content) => {
        content[content.length - 1] = 7;
        return content;
      }),
      "configuration",
    ],
    ["the playlist has no end", text("240p/playlist.m3u8", "#EXT-X-ENDLIST\n", ""), "hls-playlist"],
    ["a length is wrong", text("240p/playlist.m3u8", /#EXTINF:4\.\d+/, "#EXTINF:3.9"), "hls-playlist"],
    [
      "a segment is longer than stated",
      text("240p/playlist.m3u8", /TARGETDURATION:\d+/, "TARGETDURATION:2"),
      "hls-playlist",
    ],
    ["a variant states no codecs", text("master.m3u8", /CODECS="[^"]*",/, ""), "hls-master"],
    ["the codecs are another's", text("master.m3u8", /avc1\.[0-9a-f]+/g, "avc1.42001e"), "configuration"],
    ["the bandwidth is too low", text("master.m3u8", /([:,])BANDWIDTH=\d+/, "$1BANDWIDTH=1000"), "declared-bandwidth"],
    [
      "the average is invented",
      text("master.m3u8", /AVERAGE-BANDWIDTH=\d+/, "AVERAGE-BANDWIDTH=1000"),
      "declared-bandwidth",
    ],
    ["there are no key frames to seek by", (stream) => rm(join(stream, "240p/iframes.m3u8")), "key-frame-playlist"],
    ["a key frame is cut off", text("240p/iframes.m3u8", /BYTERANGE:\d+@0/, "BYTERANGE:700@0"), "key-frame-playlist"],
    [
      "key frames pass for whole segments",
      text("240p/iframes.m3u8", "#EXT-X-I-FRAMES-ONLY\n", ""),
      "key-frame-playlist",
    ],
    [
      "its pictures begin later than the sound",
      bytes("240p/init.mp4", (content) => {
        const entry = at(content, "elst") + 4; // version and flags, the number of entries, then the first
        const isLong = content.readUInt8(entry) === 1;
        const place = entry + 8 + (isLong ? 8 : 4);
        if (isLong) content.writeBigInt64BE(content.readBigInt64BE(place) + 9_000n, place);
        else content.writeInt32BE(content.readInt32BE(place) + 9_000, place);
        return content;
      }),
      "av-offset",
    ],
    ["the manifest has other times", text("manifest.mpd", / d="\d+"/, ' d="77"'), "dash-manifest"],
    ["the manifest lacks a track", text("manifest.mpd", /<Representation id="240p"[^>]*>/, ""), "dash-manifest"],
  ])("%s", async ([name, spoil, wanted], { signal }) => {
    const copy = name.replaceAll(/\W+/g, "-");
    await cp(join(folder.path, "good"), join(folder.path, copy), { recursive: true });
    await spoil(join(folder.path, copy));
    const report = await verify(copy, signal);
    expect(report.passed).toBe(false);
    const failed = report.checks.filter(({ outcome }) => outcome === "failed");
    expect(failed.map((check) => check.name)).toContain(wanted);
    // So that it can be made again.
    const named = failed.find((check) => check.name === wanted)?.segments ?? [];
    if (["files", "continuity", "key-frame-times", "seams"].includes(wanted)) expect(named).toContain(2);
    else expect(named).toEqual(wanted === "configuration" && name.startsWith("the init") ? [1] : []);
    await rm(join(folder.path, dirname(`${copy}/x`)), { recursive: true });
  });

  it("it has more frames than the source, or far fewer", async ({ signal }) => {
    const frames = (frameCount: number) => ({ plan: { video: plan.video && { ...plan.video, frameCount } } });
    for (const count of [200, 400]) {
      const report = await verify("good", signal, frames(count));
      expect(report.checks.filter(({ outcome }) => outcome === "failed").map(({ name }) => name)).toContain(
        "frame-count",
      );
    }
    const damaged = await verify("good", signal, frames(280));
    expect(damaged.passed).toBe(true);
    expect(damaged.checks.find(({ name }) => name === "frame-count")?.outcome).toBe("noted");
  });
});
