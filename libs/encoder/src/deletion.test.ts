import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { Directive } from "@kinora/proto-encoder";
import { describe, expect, it } from "vitest";
import {
  encodeOne,
  leaseEncode,
  makeAndUpload,
  must,
  patchUpload,
  probe,
  soon,
  startOne,
  uploadVideo,
} from "./testing/harness.ts";
import { useEncoder } from "./testing/use-encoder.ts";

const installation = useEncoder();

/** Every file of objects and uploads. */
async function files(): Promise<string[]> {
  const root = join(installation.dataDir, "encoder");
  const lists = await Promise.all(
    ["objects", "uploads"].map(async (name) => {
      const entries = await readdir(join(root, name), { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
    }),
  );
  return lists.flat().sort();
}

const of = (videoId: string) => async () => (await files()).filter((path) => path.includes(videoId));
const notFound = { code: Code.NotFound };

describe("deleting a video", () => {
  it("leaves nothing of source, streams and playback", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const { videoId, encodeId } = await startOne(person);
    await probe(encoder.worker);
    await encodeOne(encoder.worker);
    expect((await of(videoId)()).length).toBeGreaterThan(8);
    await person.encoder.deleteVideo({ id: videoId });
    await person.encoder.deleteVideo({ id: videoId });
    await expect.poll(of(videoId), soon).toEqual([]);
    expect(existsSync(join(installation.dataDir, "encoder/objects/videos", videoId))).toBe(false);
    expect((await fetch(`${encoder.url}/videos/${videoId}/master.m3u8`)).status).toBe(404);
    await expect(person.encoder.getVideo({ id: videoId })).rejects.toMatchObject(notFound);
    await expect(person.encoder.getEncode({ id: encodeId })).rejects.toMatchObject(notFound);
    await person.encoder.deleteEncode({ id: encodeId });
    expect((await person.encoder.listVideos({})).videos).toEqual([]);
  });

  it("stops the encode under way, and what its worker still writes is removed later", async () => {
    const { encoder, database } = installation;
    const person = encoder.person();
    const { videoId, encodeId } = await startOne(person);
    await probe(encoder.worker);
    const task = await leaseEncode(encoder.worker);
    const { urls } = await encoder.worker.createUploads({ lease: must(task.lease), paths: ["late"] });
    await makeAndUpload(encoder.worker, task);
    await person.encoder.deleteVideo({ id: videoId });
    await expect.poll(of(videoId), soon).toEqual([]);
    expect((await encoder.worker.heartbeat({ lease: must(task.lease) })).directive).toBe(Directive.CANCEL);
    await expect(encoder.worker.createUploads({ lease: must(task.lease), paths: ["a"] })).rejects.toMatchObject({
      code: Code.Aborted,
    });
    await expect.poll(() => installation.quota.reservations.get(encodeId)?.state, soon).toBe("released");

    // An address that was given out before is still good for a while. The second cleanup comes when it isn't any more.
    expect((await fetch(must(urls[0]), { method: "PUT", body: "late" })).status).toBe(201);
    expect(await of(videoId)()).not.toEqual([]);
    await database.pool.query("UPDATE encoder_queue.job SET start_after = now() WHERE name = 'control.cleanup'");
    await expect.poll(of(videoId), soon).toEqual([]);
  });

  it("removes a half upload", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const { video, uploadUrl } = await person.encoder.createVideo({ name: "a", sizeBytes: 100n });
    await patchUpload(uploadUrl, person.token, 0, Buffer.from("half"));
    expect(await of(must(video).id)()).toEqual([`uploads/${must(video).id}`]);
    await person.encoder.deleteVideo({ id: must(video).id });
    await expect.poll(of(must(video).id), soon).toEqual([]);
    expect((await patchUpload(uploadUrl, person.token, 4, Buffer.from("more"))).status).toBe(404);
  });
});

describe("deleting an encode", () => {
  it("removes its stream and keeps the video", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const { videoId, encodeId } = await startOne(person);
    await probe(encoder.worker);
    await encodeOne(encoder.worker);
    await person.encoder.deleteEncode({ id: encodeId });
    await person.encoder.deleteEncode({ id: encodeId });
    await expect.poll(of(videoId), soon).toEqual([`objects/videos/${videoId}/source`]);
    const { video } = await person.encoder.getVideo({ id: videoId });
    expect(video?.playback).toBeUndefined();
    expect(video?.latestEncode).toBeUndefined();
    expect((await fetch(`${encoder.url}/videos/${videoId}/master.m3u8`)).status).toBe(404);
    expect((await person.encoder.startEncode({ videoId })).encode?.id).not.toBe(encodeId);
    await person.encoder.deleteVideo({ id: videoId });
  });

  it("removes what a failed attempt wrote", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const { videoId } = await startOne(person);
    await probe(encoder.worker);
    const task = await leaseEncode(encoder.worker);
    await makeAndUpload(encoder.worker, task);
    await encoder.worker.failTask({ lease: must(task.lease), kind: 1, message: "It is damaged." });
    await expect.poll(of(videoId), soon).toEqual([`objects/videos/${videoId}/source`]);
  });
});

describe("what belongs to others, or to nobody", () => {
  it("isn't there", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const { videoId, encodeId } = await startOne(person);
    const stranger = encoder.person().encoder;
    const nobody = crypto.randomUUID();
    for (const id of [encodeId, nobody]) {
      await expect(stranger.getEncode({ id })).rejects.toMatchObject(notFound);
      await expect(stranger.cancelEncode({ id })).rejects.toMatchObject(notFound);
      await expect(stranger.deleteEncode({ id })).rejects.toMatchObject(notFound);
    }
    for (const id of [videoId, nobody]) {
      await expect(stranger.getVideo({ id })).rejects.toMatchObject(notFound);
      await expect(stranger.deleteVideo({ id })).rejects.toMatchObject(notFound);
      await expect(stranger.startEncode({ videoId: id })).rejects.toMatchObject(notFound);
    }
    await person.encoder.deleteVideo({ id: videoId });
    await expect(stranger.deleteVideo({ id: videoId })).rejects.toMatchObject(notFound);
    await expect(stranger.deleteEncode({ id: encodeId })).rejects.toMatchObject(notFound);
  });

  it("is refused by field when it is no id at all", async () => {
    const person = installation.encoder.person();
    await expect(person.encoder.getVideo({ id: "../x" })).rejects.toMatchObject({ code: Code.InvalidArgument });
    for (const name of ["", "x".repeat(501), "a\0b"]) {
      await expect(person.encoder.createVideo({ name, sizeBytes: 1n })).rejects.toMatchObject({
        code: Code.InvalidArgument,
      });
    }
    await expect(person.encoder.createVideo({ name: "a", sizeBytes: 2n ** 40n + 1n })).rejects.toMatchObject({
      code: Code.InvalidArgument,
    });
    await expect(person.encoder.createVideo({ name: "a", sizeBytes: 2n ** 40n })).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: expect.stringMatching(/has room for .* GB, but the video has 1099\.5 GB/),
    });
  });
});

describe("a deleted account", () => {
  it("takes its videos with it and makes nothing new, and nobody else's is touched", async () => {
    const { encoder } = installation;
    const [person, other] = [encoder.person(), encoder.person()];
    const kept = await uploadVideo(other);
    const { videoId } = await startOne(person);
    await uploadVideo(person);
    const announced = await person.encoder.createVideo({ name: "half", sizeBytes: 10n });
    expect(await encoder.account.deleteAccountData({ userId: person.id })).toMatchObject({ videos: 3 });
    expect(await encoder.account.deleteAccountData({ userId: person.id })).toMatchObject({ videos: 0 });
    await expect.poll(of(videoId), soon).toEqual([]);
    // The access token lives on for minutes.
    await expect(person.encoder.createVideo({ name: "new", sizeBytes: 1n })).rejects.toMatchObject({
      code: Code.Unauthenticated,
    });
    expect((await patchUpload(announced.uploadUrl, person.token, 0, Buffer.from("x"))).status).toBe(404);
    expect((await other.encoder.getVideo({ id: kept })).video?.id).toBe(kept);
    expect(await readFile(join(installation.dataDir, "encoder/objects/videos", kept, "source"), "utf8")).toBe(
      "source bytes",
    );
    await expect(encoder.account.deleteAccountData({ userId: "me" })).rejects.toMatchObject({
      code: Code.InvalidArgument,
    });
  });
});
