import { Code } from "@connectrpc/connect";
import type { Database } from "@kinora/database";
import { openTestDatabase } from "@kinora/database/testing";
import { Directive, EncodeState, VideoState } from "@kinora/proto-encoder";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrations } from "./migrations.ts";
import { createFakeQuota } from "./testing/fake-quota.ts";
import { type Harness, lease, leaseEncode, makeAndUpload, must, startEncoder, startOne } from "./testing/harness.ts";
import { media } from "./testing/media.ts";

const quota = createFakeQuota();
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let database: Database;
let encoder: Harness;

beforeAll(async () => {
  folder = await temporaryFolder();
  database = await openTestDatabase("encoder", migrations);
  encoder = await startEncoder({ database, dataDir: folder.path, quota });
});
afterAll(async () => {
  await encoder?.close();
  await database?.close();
  await folder?.remove();
});

describe("the life of a video", () => {
  it("goes from announcement to playback", async () => {
    const person = encoder.person();
    const { video, uploadUrl } = await person.encoder.createVideo({ name: "a.mp4", sizeBytes: 12n });
    const { id: videoId } = must(video);
    expect(video).toMatchObject({ name: "a.mp4", sizeBytes: 12n, uploadedBytes: 0n, state: VideoState.UPLOADING });
    expect(uploadUrl).toBe(`${encoder.url}/uploads/${videoId}`);
    await expect(person.encoder.startEncode({ videoId })).rejects.toMatchObject({ code: Code.FailedPrecondition });
  });

  it("encodes", async () => {
    const person = encoder.person();
    const { videoId, encodeId } = await startOne(person);
    const watched = (async () => {
      const states = [];
      for await (const { encode } of person.encoder.watchEncode({ id: encodeId })) states.push(must(encode));
      return states;
    })();

    const task = await lease(encoder.worker);
    expect(task).toMatchObject({ encodeId, sourceBytes: 12n, lease: { attempt: 1 }, work: { case: "probe" } });
    const source = await fetch(task.sourceUrl, { headers: { range: "bytes=7-" } });
    expect([source.status, await source.text()]).toEqual([206, "bytes"]);
    expect((await person.encoder.getEncode({ id: encodeId })).encode).toMatchObject({
      state: EncodeState.PROBING,
      attempt: 1,
    });
    await encoder.worker.completeTask({
      lease: must(task.lease),
      result: { case: "probe", value: media },
    });

    const encode = await leaseEncode(encoder.worker);
    expect(quota.reservations.get(encodeId)).toEqual({ userId: person.id, seconds: 10, state: "reserved" });
    const beat = await encoder.worker.heartbeat({ lease: must(encode.lease), frames: 120n, fraction: 0.5, speed: 2 });
    expect(beat.directive).toBe(Directive.CONTINUE);
    const under = must((await person.encoder.getEncode({ id: encodeId })).encode);
    expect(under).toMatchObject({
      state: EncodeState.ENCODING,
      media: { durationSeconds: 10 },
      progress: { frames: 120n, speed: 2, remainingSeconds: 2.5 },
    });
    expect(under.plan?.video?.renditions.map(({ name }) => name)).toEqual(["360p", "240p"]);

    const { result } = await makeAndUpload(encoder.worker, encode);
    await encoder.worker.completeTask({ lease: must(encode.lease), result: { case: "encode", value: result } });
    await encoder.worker.completeTask({ lease: must(encode.lease), result: { case: "encode", value: result } });

    const states = await watched;
    const order = states.map((state) => state.state).filter((state, index, all) => state !== all[index - 1]);
    expect(order).toEqual([...new Set(order)]);
    expect(states[0]?.state).toBe(EncodeState.QUEUED);
    const final = must(states.at(-1));
    expect(final).toMatchObject({ state: EncodeState.SUCCEEDED, progress: { fraction: 1 }, error: "" });
    expect(final.result?.video).toHaveLength(2);
    expect(final.playback?.hlsUrl).toBe(`${encoder.url}/videos/${videoId}/master.m3u8`);
    await expect.poll(() => quota.reservations.get(encodeId)?.state).toBe("settled");
  });
});
