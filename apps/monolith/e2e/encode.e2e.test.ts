import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { realVideos } from "@kinora/testing";
import { describe, expect, it } from "vitest";
import { createInstallation } from "./support/installation.ts";
import { checkStream, type KnownSource } from "./support/stream-check.ts";

/** Figures of the sources as ffprobe gives them (of the second, an edit list hides the last of 250 frames). */
const known: Record<string, KnownSource> = {
  "sintel_trailer-720p.mp4": { frames: 1253, seconds: 52.208, audioSeconds: 51.947, shortSide: 720 },
  "movie-hello-720p.mp4": { frames: 249, seconds: 8.3, audioSeconds: 8.32, shortSide: 720 },
  "sintel-trailer.mp4": { frames: 274, seconds: 11.417, audioSeconds: 11.286, shortSide: 720 },
};

describe.each(["monolith", "services"] as const)("kinora encode against %s", (form) => {
  it("brings real videos home as complete streams", async () => {
    await using kinora = await createInstallation(form);
    await kinora.startAll();
    for (const video of realVideos()) {
      const out = kinora.path(basename(video));
      const encode = await kinora.kinora("encode", video, "--out", out);
      expect(encode, encode.stderr).toMatchObject({ code: 0 });
      const address = encode.stdout.trim().split("\n").at(-1) ?? "";
      expect(address).toMatch(/^http:.*\/videos\/[0-9a-f-]{36}\/master\.m3u8$/);
      const served = await fetch(address);
      expect(served.status).toBe(200);
      expect(served.headers.get("content-type")).toBe("application/vnd.apple.mpegurl");
      // The video's address names the stream's own folder, what was brought home lies in none.
      const text = (await served.text()).replaceAll(/[0-9a-f-]{36}\//g, "");
      expect(text).toBe(await readFile(`${out}/master.m3u8`, "utf8"));
      await checkStream(out, known[basename(video)] ?? fail(video));
    }
    const list = await kinora.kinora("list");
    expect(list.code).toBe(0);
    for (const video of realVideos()) expect(list.stdout).toContain(basename(video));
    if (form === "services") checkCalls(kinora);
  }, 300_000);
});

/** The log of calls shows that the services spoke gRPC with each other. */
function checkCalls(kinora: Awaited<ReturnType<typeof createInstallation>>): void {
  expect(callsIn(kinora.process("user").output())).toEqual(
    expect.arrayContaining(["grpc user.v1.QuotaService/ReserveQuota", "grpc user.v1.QuotaService/SettleQuota"]),
  );
  expect(callsIn(kinora.process("encoder").output())).toEqual(
    expect.arrayContaining([
      "grpc encoder.v1.WorkerService/LeaseTask",
      "grpc encoder.v1.WorkerService/Heartbeat",
      "grpc encoder.v1.WorkerService/CompleteTask",
    ]),
  );
}

function callsIn(log: string): string[] {
  return log
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { protocol?: string; method?: string })
    .map((call) => `${call.protocol} ${call.method}`);
}

function fail(video: string): never {
  throw new Error(`Nothing is known of ${video}.`);
}
