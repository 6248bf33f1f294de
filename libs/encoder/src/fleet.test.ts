import { Code } from "@connectrpc/connect";
import type { ChunkResult, TrackResult } from "@kinora/media";
import { EncodeState, FailureKind, type Task, TaskKind } from "@kinora/proto-encoder";
import { beforeEach, describe, expect, it } from "vitest";
import { maxCrashes, maxFaults } from "./domain/lease.ts";
import {
  encodeOne,
  kinds,
  lease,
  leaseEncode,
  makeAndUpload,
  must,
  type Person,
  probe,
  soon,
  startOne,
  uploadVideo,
  waitForState,
  work,
} from "./testing/harness.ts";
import { frameTable, initSegment, media } from "./testing/media.ts";
import { emptyEncoder, useEncoder } from "./testing/use-encoder.ts";

const installation = useEncoder();

beforeEach(() => emptyEncoder(installation.database));

const get = (path: string) => fetch(`${installation.encoder.url}/videos/${path}`);
const textOf = async (path: string) => (await get(path)).text();
const chunkOf = (task: Task) => (task.work.case === "encodeChunk" ? task.work.value.chunk?.index : undefined);
const detailsOf = async (person: Person, id: string) => must((await person.encoder.getEncode({ id })).encode);

/** A video of two minutes at 24 frames a second, long enough for a head. */
const long = { ...media, durationSeconds: 120, video: { ...must(media.video), frameCount: 2880 } };
const longTable = { ...frameTable, frameCount: 2880, endPts: 2880n, runFrames: [2880] };

describe("a stream", () => {
  it("plays from its beginning as soon as that is there, grows without a gap, and ends whole", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { videoId, encodeId } = await startOne(person, 4);
    await probe(worker);
    const [first, second, third] = [await leaseEncode(worker), await lease(worker), await lease(worker)];
    expect([first, second, third].map(chunkOf)).toEqual([0, 1, 2]);
    await work(worker, third);
    expect((await get(`${videoId}/master.m3u8`)).status).toBe(404);
    await work(worker, first);

    const encode = await detailsOf(person, encodeId);
    expect(encode).toMatchObject({
      state: EncodeState.ENCODING,
      progress: { chunks: 3, chunksDone: 2, runningTasks: 1, playableSeconds: 4 },
      playback: { hlsUrl: `${encoder.url}/videos/${videoId}/master.m3u8` },
    });
    expect(encode.progress?.tracks).toMatchObject([{ name: "360p", xpsnr: 40 }, { name: "240p" }, { name: "audio" }]);
    const growing = await textOf(`${videoId}/${encodeId}/360p/playlist.m3u8`);
    expect(growing).toContain("#EXT-X-PLAYLIST-TYPE:EVENT");
    expect(growing).not.toContain("ENDLIST");
    expect(growing.match(/\.m4s/g)).toHaveLength(1); // the third chunk is there, but the second isn't
    expect(growing).toContain("#EXT-X-TARGETDURATION:5");
    expect(await textOf(`${videoId}/manifest.mpd`)).toContain('type="dynamic"');
    expect((await get(`${videoId}/${encodeId}/360p/1.m4s`)).status).toBe(200);
    expect((await get(`${videoId}/${encodeId}/360p/init.mp4`)).headers.get("cache-control")).toBe(
      "public, max-age=5, must-revalidate",
    );
    expect((await get(`${videoId}/${encodeId}/master.m3u8`)).headers.get("cache-control")).not.toContain("immutable");

    const files = await work(worker, second);
    await expect
      .poll(async () => (await textOf(`${videoId}/${encodeId}/360p/playlist.m3u8`)).match(/\.m4s/g), soon)
      .toHaveLength(3);
    await encodeOne(worker);
    const whole = await waitForState(person, encodeId, EncodeState.SUCCEEDED);
    expect(whole.verification).toMatchObject({ passed: true });
    const ended = await textOf(`${videoId}/${encodeId}/360p/playlist.m3u8`);
    expect(ended).toContain("#EXT-X-ENDLIST");
    expect(ended).toContain("#EXT-X-PLAYLIST-TYPE:VOD");
    expect(await textOf(`${videoId}/${encodeId}/360p/iframes.m3u8`)).toContain("#EXT-X-PLAYLIST-TYPE:VOD");
    expect(await textOf(`${videoId}/${encodeId}/manifest.mpd`)).toContain('type="static"');
    expect(ended).toContain("#EXT-X-TARGETDURATION:5"); // it may not change
    const segment = Buffer.from(await (await get(`${videoId}/360p/2.m4s`)).arrayBuffer());
    expect(segment.equals(Buffer.from(must(files.get("360p/2.m4s"))))).toBe(true);
  });

  it("begins with a head that is cut before the source is analysed", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person, 4);
    await probe(worker, long);
    const encoders = {
      workerId: "heavy",
      encoders: ["cpu"],
      kinds: [TaskKind.ENCODE, TaskKind.ENCODE_CHUNK, TaskKind.TRIAL],
    };
    const wait = { seconds: 15n, nanos: 0 };
    const head = must((await worker.leaseTask({ ...encoders, wait })).task);
    expect(chunkOf(head)).toBe(0);
    expect((await detailsOf(person, encodeId)).plan).toMatchObject({
      complete: false,
      chunks: [{ index: 0 }, { index: 1 }, { index: 2 }],
    });
    for (let task = await lease(worker); ; task = await lease(worker)) {
      if (task.work.case !== "analyse") {
        await work(worker, task);
        continue;
      }
      // By it, it knows where further chunks will begin, and looks for scenes there.
      expect(task.work.value.plan).toMatchObject({
        segmentSeconds: 4,
        fleet: {},
        chunks: [{ index: 0 }, { index: 1 }, { index: 2 }],
      });
      await worker.completeTask({ lease: must(task.lease), result: { case: "analyse", value: longTable } });
      break;
    }
    const { plan } = await detailsOf(person, encodeId);
    expect(plan).toMatchObject({ complete: true, video: { frameCount: 2880 } });
    const frames = must(plan).chunks.map((chunk) => chunk.frameCount);
    expect(frames.reduce((sum, count) => sum + count, 0)).toBe(2880);
    // Several slots have a segment each to begin with.
    expect(frames.slice(0, 3)).toEqual([96, 96, 96]);
    await person.encoder.cancelEncode({ id: encodeId });
  });

  it("whose head promised more than the source has is cut anew", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person, 4);
    await probe(worker, long); // it says two minutes, and has ten seconds
    await encodeOne(worker);
    const encode = await waitForState(person, encodeId, EncodeState.SUCCEEDED);
    expect(encode.plan?.chunks.map((chunk) => chunk.frameCount)).toEqual([96, 96, 48]);
    expect(encode.result?.video[0]?.frames).toBe(240);
  });

  it("that fails its verification is withdrawn, and its report stays", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { videoId, encodeId } = await startOne(person);
    await probe(worker);
    let task = await lease(worker);
    for (; task.work.case !== "verify"; task = await lease(worker)) await work(worker, task);
    expect(task.work.value).toMatchObject({ streamUrl: `${encoder.url}/videos/${videoId}/${encodeId}` });
    expect((await get(`${videoId}/master.m3u8`)).status).toBe(200);
    const checks = [{ name: "seams", outcome: "failed", detail: "a frame is missing at 8.0 s", track: "360p" }];
    await worker.completeTask({
      lease: must(task.lease),
      result: { case: "verify", value: { passed: false, checks } },
    });
    const encode = await waitForState(person, encodeId, EncodeState.FAILED);
    expect(encode).toMatchObject({
      error: "The stream failed its verification. seams of 360p: a frame is missing at 8.0 s",
      verification: { passed: false, checks },
      retryable: false,
    });
    expect(encode.playback).toBeUndefined();
    expect((await get(`${videoId}/master.m3u8`)).status).toBe(404);
    expect((await get(`${videoId}/${encodeId}/360p/1.m4s`)).status).toBe(404);
  });

  it("is mended where a check names segments: their chunk is made again, once", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { videoId, encodeId } = await startOne(person, 4);
    await probe(worker);
    const checks = [{ name: "seams", outcome: "failed", detail: "before segment 2", track: "", segments: [2] }];
    const fail = async () => {
      let task = await lease(worker);
      const chunks: number[] = [];
      for (; task.work.case !== "verify"; task = await lease(worker)) {
        if (task.work.case === "encodeChunk") chunks.push(must(task.work.value.chunk).index);
        await work(worker, task);
      }
      const result = { case: "verify", value: { passed: false, checks } } as const;
      await worker.completeTask({ lease: must(task.lease), result });
      return chunks;
    };
    const segment = async () => {
      const answer = await get(`${videoId}/${encodeId}/360p/2.m4s`);
      return { status: answer.status, body: await answer.text() };
    };
    const all = await fail();
    expect(all.length).toBeGreaterThan(1);
    expect(await segment()).toMatchObject({ status: 404 });
    const growing = await get(`${videoId}/${encodeId}/360p/playlist.m3u8`);
    expect(await growing.text()).not.toContain("ENDLIST");
    expect(must((await person.encoder.getEncode({ id: encodeId })).encode).state).toBe(EncodeState.ENCODING);
    expect(await fail()).toHaveLength(1);
    const encode = await waitForState(person, encodeId, EncodeState.FAILED);
    expect(encode.error).toContain("seams: before segment 2");
  });

  it("whose chunks don't meet is mended in the same way before it is checked", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person, 4);
    await probe(worker);
    const begun: number[] = [];
    let task = await lease(worker);
    for (; task.work.case !== "verify"; task = await lease(worker)) {
      const made = await makeAndUpload(worker, task);
      const { result } = made;
      if (result.case === "encodeChunk") {
        const index = must(result.value.index);
        // The last one to come is off by a frame, the first time.
        if (index === 2 && !begun.includes(2)) result.value.start = must(result.value.start) + 1n;
        begun.push(index);
      }
      await worker.completeTask({ lease: must(task.lease), result });
    }
    expect(begun.toSorted()).toEqual([0, 1, 1, 2, 2]);
    await work(worker, task);
    await waitForState(person, encodeId, EncodeState.SUCCEEDED);
  });

  it("whose chunk was made again is published when it passes then", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { videoId, encodeId } = await startOne(person, 4);
    await probe(worker);
    let task = await lease(worker);
    for (; task.work.case !== "verify"; task = await lease(worker)) await work(worker, task);
    const before = await (await get(`${videoId}/${encodeId}/360p/1.m4s`)).text();
    const checks = [{ name: "files", outcome: "failed", detail: "segment 1", track: "360p", segments: [1] }];
    const result = { case: "verify", value: { passed: false, checks } } as const;
    await worker.completeTask({ lease: must(task.lease), result });
    await encodeOne(worker);
    await waitForState(person, encodeId, EncodeState.SUCCEEDED);
    expect(await (await get(`${videoId}/${encodeId}/360p/1.m4s`)).text()).not.toBe(before);
    expect(await (await get(`${videoId}/${encodeId}/360p/playlist.m3u8`)).text()).toContain("ENDLIST");
  });

  it("of sound grows while it is made, and a failed attempt's part stays until another has as much", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { videoId, encodeId } = await startOne(person);
    await probe(worker);
    const sound = await lease(worker);
    const { result, files } = await makeAndUpload(worker, sound);
    if (result.case !== "audio") throw new Error(`Leased ${sound.work.case}.`);
    const whole = result.value as TrackResult;
    const track = { ...whole, segments: whole.segments.slice(0, 2) };
    await worker.addSegments({ lease: must(sound.lease), track });
    await worker.addSegments({ lease: must(sound.lease), track });
    const stray = { lease: must(sound.lease), track: { ...track, name: "360p" } };
    await expect(worker.addSegments(stray)).rejects.toMatchObject({ code: Code.InvalidArgument });
    await worker.failTask({ lease: must(sound.lease), kind: FailureKind.RETURNED, message: "The worker stops." });
    await work(worker, await leaseEncode(worker)); // takes the sound up again on its way
    const bytes = async (path: string) =>
      Buffer.from(await (await get(`${videoId}/${encodeId}/${path}`)).arrayBuffer());
    expect((await bytes("audio/1.m4s")).equals(Buffer.from(must(files.get("audio/1.m4s"))))).toBe(false);
    await encodeOne(worker);
    await waitForState(person, encodeId, EncodeState.SUCCEEDED);
  });
});

describe("a per-title ladder", () => {
  it("is chosen by trials before anything is encoded, and its curve stays with the plan", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const videoId = await uploadVideo(person);
    const settings = { segmentSeconds: 10, ladder: "per-title", qualityTarget: 40 };
    const encodeId = must((await person.encoder.startEncode({ videoId, settings })).encode).id;
    await probe(worker);
    let task = await lease(worker);
    for (; task.work.case !== "trial"; task = await lease(worker)) await work(worker, task);
    const ways = must(task.work.value.video).renditions;
    expect(new Set(ways.map((way) => way.width)).size).toBe(2);
    expect(task.work.value.samples.length).toBeGreaterThan(0);
    expect((await detailsOf(person, encodeId)).plan).toMatchObject({ complete: false, chunks: [] });
    const points = ways.map(({ width, height, crf }) => {
      const xpsnr = 70 - crf - (width < 640 ? 4 : 0);
      return {
        width,
        height,
        crf,
        bitrate: (width * height * 4) / 1.12 ** (crf - 18),
        quality: { frames: 100, xpsnrSum: xpsnr * 100, xpsnrMin: xpsnr, ssimSum: 98, ssimMin: 0.9 },
      };
    });
    await worker.completeTask({ lease: must(task.lease), result: { case: "trial", value: { points } } });
    await encodeOne(worker);
    const { plan, result } = await waitForState(person, encodeId, EncodeState.SUCCEEDED);
    expect(plan?.ladder).toMatchObject({ qualityTarget: 40, reason: expect.stringMatching(/./) });
    expect(plan?.ladder?.points).toHaveLength(ways.length);
    expect(plan?.ladder?.hull.length).toBeGreaterThan(1);
    expect(result?.video.map((track) => track.name)).toEqual(plan?.video?.renditions.map((one) => one.name));
  });
});

describe("chunks", () => {
  it("must have the same codec configuration, or a worker is at fault", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    await startOne(person, 4);
    await probe(worker);
    const [first, second] = [await leaseEncode(worker), await lease(worker)];
    await work(worker, first);
    const { result } = await makeAndUpload(worker, second);
    if (result.case !== "encodeChunk") throw new Error("no chunk");
    const chunk = result.value as ChunkResult;
    const renditions = chunk.renditions.map((track) => ({
      ...track,
      initSha256: initSegment("other").subarray(0, 32),
    }));
    await expect(
      worker.completeTask({
        lease: must(second.lease),
        result: { case: "encodeChunk", value: { ...chunk, renditions } },
      }),
    ).rejects.toMatchObject({ code: Code.FailedPrecondition, rawMessage: expect.stringContaining("another decoder") });
    expect(chunkOf(await lease(worker))).toBe(chunkOf(second));
  });
});

describe("workers", () => {
  it("of an earlier release are told to be updated", async () => {
    const { worker } = installation.encoder;
    await expect(worker.leaseTask({ workerId: "old", encoders: ["cpu"] })).rejects.toMatchObject({
      code: Code.FailedPrecondition,
      rawMessage: expect.stringContaining("Update the worker"),
    });
  });

  it("that don't know every kind of light work get none of it", async () => {
    const { worker, ...encoder } = installation.encoder;
    await startOne(encoder.person());
    const some = { workerId: "w", encoders: ["cpu"], kinds: [TaskKind.PROBE], wait: { seconds: 0n, nanos: 2e8 } };
    expect((await worker.leaseTask(some)).task).toBeUndefined();
    expect((await lease(worker)).work.case).toBe("probe");
  });
});

describe("an encode that machines have failed", () => {
  it("keeps what is done and goes on from there when it is tried again", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { videoId, encodeId } = await startOne(person, 4);
    await probe(worker);
    await work(worker, await leaseEncode(worker));
    for (let attempt = 1; attempt <= maxFaults; attempt += 1) {
      await installation.database.pool.query("UPDATE encoder_queue.job SET start_after = now() WHERE state = 'retry'");
      const task = await lease(worker);
      // Always the same chunk: the others wait for their turn.
      if (chunkOf(task) !== 1) {
        await worker.failTask({ lease: must(task.lease), kind: FailureKind.RETURNED, message: "Later." });
        attempt -= 1;
        continue;
      }
      await worker.failTask({ lease: must(task.lease), kind: FailureKind.MACHINE, message: "It ran out of memory." });
    }
    const failed = await waitForState(person, encodeId, EncodeState.FAILED);
    expect(failed).toMatchObject({
      retryable: true,
      failedTasks: [{ work: "encode chunk 2", reason: expect.stringContaining("It ran out of memory.") }],
    });
    expect((await get(`${videoId}/master.m3u8`)).status).toBe(404);
    await expect.poll(() => installation.quota.reservations.get(encodeId)?.state, soon).toBe("released");
    await expect(encoder.person().encoder.retryEncode({ id: encodeId })).rejects.toMatchObject({ code: Code.NotFound });

    const { encode } = await person.encoder.retryEncode({ id: encodeId });
    expect(encode).toMatchObject({ state: EncodeState.PROBING, error: "", retryable: false });
    await expect(person.encoder.retryEncode({ id: encodeId })).rejects.toMatchObject({ code: Code.FailedPrecondition });
    const seen: (number | undefined)[] = [];
    for (let task = await lease(worker); ; task = await lease(worker)) {
      seen.push(chunkOf(task));
      await work(worker, task);
      if (task.work.case === "verify") break;
    }
    expect(seen).not.toContain(0); // done before
    expect(seen).toEqual(expect.arrayContaining([1, 2]));
    await waitForState(person, encodeId, EncodeState.SUCCEEDED);
    await expect
      .poll(() => [...installation.quota.reservations.values()].filter((one) => one.userId === person.id), soon)
      .toMatchObject([{ state: "released" }, { state: "settled" }]);
    expect((await get(`${videoId}/master.m3u8`)).status).toBe(200);
  });

  it("by crashing twice at the same task tells that the file is to blame, and can be tried again", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    await probe(worker);
    const message = "The process that handles the video was ended by SIGSEGV.";
    for (let crashes = 1; crashes <= maxCrashes; crashes += 1) {
      const { lease: held } = await leaseEncode(worker);
      await worker.failTask({ lease: must(held), kind: FailureKind.MACHINE, message, crashed: true });
    }
    const failed = await waitForState(person, encodeId, EncodeState.FAILED);
    expect(failed).toMatchObject({
      retryable: true,
      error: expect.stringContaining("This file made the program crash twice that was to encode chunk 1"),
      failedTasks: [{ work: "encode chunk 1", attempts: 2, reason: expect.stringContaining("SIGSEGV") }],
    });
    await person.encoder.retryEncode({ id: encodeId });
    await encodeOne(worker);
    await waitForState(person, encodeId, EncodeState.SUCCEEDED);
  });

  it("can't be tried again when its input was at fault, or it has succeeded", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    const task = await lease(worker);
    await worker.failTask({ lease: must(task.lease), kind: FailureKind.INPUT, message: "It is a text." });
    await expect(person.encoder.retryEncode({ id: encodeId })).rejects.toMatchObject({ code: Code.FailedPrecondition });
    const { encodeId: other } = await startOne(person);
    await probe(worker);
    await encodeOne(worker);
    await expect(person.encoder.retryEncode({ id: other })).rejects.toMatchObject({ code: Code.FailedPrecondition });
  });
});

// The last one: the encoder remembers for a while that there was a GPU.
describe("chunks", () => {
  it("of a GPU's renditions go to workers that have one (a fake: no GPU is at hand)", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const gpu = { workerId: "gpu", encoders: ["nvenc"], kinds, slots: 2 };
    await worker.leaseTask(gpu);
    const known = () => installation.database.pool.query("SELECT slots, encoders FROM workers WHERE id = 'gpu'");
    await expect.poll(async () => (await known()).rows, soon).toEqual([{ slots: 2, encoders: ["nvenc"] }]);
    const { encodeId } = await startOne(person);
    await probe(worker);
    const light = async () => {
      for (;;) {
        const { task } = await worker.leaseTask({ ...gpu, encoders: ["cpu"], wait: { seconds: 2n, nanos: 0 } });
        if (task === undefined) return;
        expect(task.work.case).not.toBe("encodeChunk");
        await work(worker, task);
      }
    };
    await light();
    expect((await detailsOf(person, encodeId)).progress?.waiting).toEqual([
      "1 chunk waits for a worker with encode.nvenc",
    ]);
    const task = must((await worker.leaseTask({ ...gpu, wait: { seconds: 15n, nanos: 0 } })).task);
    expect(task.work.case).toBe("encodeChunk");
    if (task.work.case === "encodeChunk") {
      expect(new Set(task.work.value.video?.renditions.map((one) => one.encoder))).toEqual(new Set(["nvenc"]));
    }
    await work(worker, task);
    await encodeOne(worker);
  });
});
