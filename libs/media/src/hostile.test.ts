/** Files made to do harm, from probe to verification: each ends as a stream or with a sentence that says what is wrong with it, and never with a fault of the machine. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keepCompiledCode, prepareChildren } from "./task.ts";
import { frames, type HostileFile, noPicture, tooCostly } from "./testing/hostile-files.ts";
import { hostileMatroska } from "./testing/hostile-matroska.ts";
import { hostileMp4 } from "./testing/hostile-mp4.ts";
import { makeMedia } from "./testing/make-media.ts";
import { audio, flash, video } from "./testing/stream-cases.ts";
import { wholeWay } from "./testing/whole-way.ts";

const limits = {
  timeLimitMs: 110_000,
  noProgressMs: 60_000,
  memoryLimitBytes: 2 ** 30,
  outputLimitBytes: 2 ** 28,
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let children: AsyncDisposable;
const path = (name: string) => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  keepCompiledCode(path("code"));
  children = prepareChildren();
  const small = { width: 160, height: 90, frames };
  const sound = audio({ seconds: 3 });
  await makeMedia(
    { path: path("sound.mp4"), flash, video: video({ ...small, options: { bf: 3, g: 40 } }), audio: sound },
    {
      path: path("sound.mkv"),
      flash,
      video: video({ ...small, options: { g: 1 } }),
      audio: sound,
      muxerOptions: { cluster_time_limit: 1000 },
    },
    { path: path("pictures.mkv"), flash, video: video({ ...small, codec: "png", pixelFormat: "rgb24" }) },
    { path: path("gif.mkv"), flash, video: video({ ...small, codec: "gif", pixelFormat: "rgb8" }) },
    ...[160, 320].map((width) => ({
      path: path(`${width}.ts`),
      flash,
      video: video({ width, height: width / 2, frames: 5, options: { g: 1, tune: "zerolatency" } }),
    })),
  );
}, 60_000);
afterAll(async () => {
  await children[Symbol.asyncDispose]();
  keepCompiledCode(undefined);
  await folder.remove();
});

/** A file's end must be the one that is told of it. */
async function expectEnd(file: string, { ends }: Pick<HostileFile, "ends">, signal: AbortSignal): Promise<void> {
  // What never ends needn't be waited for so long.
  const end = await wholeWay(file, { ...limits, ...(ends === tooCostly ? { noProgressMs: 4000 } : {}), signal });
  if (typeof ends === "number") {
    expect(end.refusal).toBeUndefined();
    expect(end.failedChecks).toEqual([]);
    expect(end.result?.video[0]?.frames).toBe(ends);
  } else {
    expect(end.refusal).toMatch(ends);
    expect(end.refusal).toMatch(/^[A-Z].*\.$/);
  }
}

describe.each([
  ["MP4", "sound.mp4", hostileMp4],
  ["Matroska", "sound.mkv", hostileMatroska],
] as const)("%s", (container, sound, files) => {
  it.concurrent.for(files)("$name", { timeout: 120_000 }, async (file, { signal }) => {
    const made = path(`${container}-${files.indexOf(file)}`);
    await writeFile(made, file.make(await readFile(path(sound))));
    await expectEnd(made, file, signal);
  });
});

describe("pictures", () => {
  it("that change their size 500 times", { timeout: 120_000 }, async ({ signal }) => {
    const sizes = await Promise.all([160, 320].map((width) => readFile(path(`${width}.ts`))));
    await writeFile(
      path("changing.ts"),
      Buffer.concat(Array.from({ length: 500 }, (_, index) => sizes[index % 2] as Buffer)),
    );
    await expectEnd(path("changing.ts"), { ends: 2500 }, signal);
  });

  it("of 65,535 × 65,535 pixels, as PNG says", { timeout: 60_000 }, async ({ signal }) => {
    const bytes = await readFile(path("pictures.mkv"));
    for (let at = bytes.indexOf("IHDR"); at > 0; at = bytes.indexOf("IHDR", at + 4)) {
      bytes.writeUInt32BE(65_535, at + 4);
      bytes.writeUInt32BE(65_535, at + 8);
    }
    await writeFile(path("bomb.mkv"), bytes);
    await expectEnd(path("bomb.mkv"), { ends: noPicture }, signal);
  });

  it("of GIF, in a film", { timeout: 60_000 }, async ({ signal }) => {
    await expectEnd(path("gif.mkv"), { ends: frames }, signal);
  });
});
