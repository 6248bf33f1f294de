import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { planEncode } from "./plan/plan-encode.ts";
import { runTask, TaskError } from "./task.ts";
import { makeMedia } from "./testing/make-media.ts";

const files = ["a.mp4", "fragmented.mp4", "b.mkv", "c.avi", "d.ts", "e.ogv"] as const;
const limits = { timeLimitMs: 60_000, noProgressMs: 30_000, memoryLimitBytes: 2 ** 30, outputLimitBytes: 2 ** 28 };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  const video = { width: 160, height: 96, frameRate: { num: 25, den: 1 }, frames: 25, timeBase: { num: 1, den: 25 } };
  const audio = { sampleRate: 48_000, channels: 2, seconds: 1 };
  const codecs = {
    "c.avi": ["mpeg4", "libmp3lame"],
    "d.ts": ["mpeg2video", "mp2"],
    "e.ogv": ["libtheora", "libvorbis"],
  };
  await makeMedia(
    ...files.map((name) => {
      const [picture = "libx264", sound = "aac"] = name in codecs ? codecs[name as keyof typeof codecs] : [];
      return {
        path: join(folder.path, name),
        flash: [0.5, 0.7] as [number, number],
        video: { ...video, codec: picture },
        audio: { ...audio, codec: sound },
        ...(name === "fragmented.mp4" ? { muxerOptions: { movflags: "frag_keyframe+empty_moov" } } : {}),
      };
    }),
  );
});
afterAll(() => folder.remove());

/** A generator of numbers below 2³² that gives the same ones each time (xorshift). */
function random(seed: number) {
  let state = seed;
  return (below: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Probes and, if it can be, encodes: the outcome in a word. Whatever isn't a result must be a `TaskError` with a sentence. */
async function tryToEncode(sourceUrl: string, signal: AbortSignal): Promise<string> {
  try {
    const { plan, refusal } = planEncode(
      await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl, whole: true } }),
    );
    if (!plan) return `refused: ${refusal}`;
    await using out = await temporaryFolder();
    const task = { kind: "encode", sourceUrl, plan, outDir: out.path } as const;
    const { video } = await runTask({ ...limits, signal, task });
    return `encoded: ${video[0]?.frames} frames`;
  } catch (error) {
    expect(error).toBeInstanceOf(TaskError);
    const { kind, message } = error as TaskError;
    expect(message).toMatch(/^[A-Z].*\.$/s);
    return `${kind}: ${message}`;
  }
}

it.concurrent.for(files.flatMap((name) => [1, 2].map((seed) => [name, seed] as const)))(
  "%s with damage %i ends as a stream or as a fault with a sentence",
  { timeout: 120_000 },
  async ([name, seed], { signal }) => {
    const bytes = await readFile(join(folder.path, name));
    const next = random(seed * 7919 + name.length);
    for (let count = 0; count < 20; count++) bytes[next(bytes.length)] = next(256);
    // Damage to the header is where a parser is tried most.
    for (let count = 0; count < 5; count++) bytes[next(Math.min(bytes.length, 1500))] = next(256);
    const path = join(folder.path, `${seed}-${name}`);
    await writeFile(path, bytes);
    expect(await tryToEncode(path, signal)).toMatch(/^(encoded|refused|input): /);
  },
);

// Twenty places and a few more.
it.concurrent.for(files.flatMap((name) => [1, 2, 3, 4].map((seed) => [name, seed] as const)))(
  "%s cut at place %i ends as a stream or as a fault with a sentence",
  { timeout: 120_000 },
  async ([name, seed], { signal }) => {
    const bytes = await readFile(join(folder.path, name));
    const length = random(seed * 104_729 + name.length)(bytes.length);
    const path = join(folder.path, `cut-${seed}-${name}`);
    await writeFile(path, bytes.subarray(0, length));
    expect(await tryToEncode(path, signal)).toMatch(/^(encoded|refused|input): /);
  },
);

it("does not grow with what an index claims", { timeout: 120_000 }, async ({ signal }) => {
  const bytes = await readFile(join(folder.path, "a.mp4"));
  // Two thousand million samples, all of one size.
  const table = bytes.indexOf("stsz");
  bytes.writeUInt32BE(100, table + 8);
  bytes.writeUInt32BE(2_000_000_000, table + 12);
  const path = join(folder.path, "claims.mp4");
  await writeFile(path, bytes);
  expect(await tryToEncode(path, signal)).toMatch(/^(encoded|refused|input): /);
});
