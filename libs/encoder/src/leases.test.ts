import { Code, type ConnectError, createClient } from "@connectrpc/connect";
import type { ChunkResult } from "@kinora/media";
import { Directive, EncodeState, FailureKind, type Lease, TaskKind, WorkerService } from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";
import { beforeEach, describe, expect, it } from "vitest";
import { maxFaults } from "./domain/lease.ts";
import {
  encodeOne,
  kinds,
  lease,
  leaseEncode,
  makeAndUpload,
  must,
  probe,
  soon,
  startEncoder,
  startOne,
  waitForState,
} from "./testing/harness.ts";
import { media } from "./testing/media.ts";
import { useEncoder } from "./testing/use-encoder.ts";

const installation = useEncoder();

// Tasks that an earlier test left in the queue would be leased by the next one.
beforeEach(async () => {
  await installation.database.pool.query("DELETE FROM videos");
});

/** Makes a lease end as if its worker had fallen silent. */
async function silence(held: Lease | undefined): Promise<void> {
  await installation.database.pool.query("UPDATE tasks SET lease_expires_at = now() - interval '1 s' WHERE id = $1", [
    must(held).taskId,
  ]);
}

/** Work that needs an encoder. */
const encoderWork = [TaskKind.ENCODE, TaskKind.ENCODE_CHUNK, TaskKind.TRIAL];

const gone = { code: Code.Aborted };

describe("leases", () => {
  it("are fenced: when a worker falls silent another one gets the task, and the first can't do anything any more", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { videoId, encodeId } = await startOne(person);
    await probe(worker);
    const first = await leaseEncode(worker, "first");
    const { result: stale } = await makeAndUpload(worker, first);
    await silence(first.lease);
    const second = await leaseEncode(worker, "second");
    expect([first.lease?.attempt, second.lease?.attempt]).toEqual([1, 2]);
    expect(second.lease?.taskId).toBe(first.lease?.taskId);

    const old = must(first.lease);
    await expect(worker.heartbeat({ lease: old })).rejects.toMatchObject(gone);
    await expect(worker.createUploads({ lease: old, paths: ["a"] })).rejects.toMatchObject(gone);
    await expect(worker.completeTask({ lease: old, result: stale })).rejects.toMatchObject(gone);
    await expect(
      worker.failTask({ lease: old, kind: FailureKind.INPUT, message: "It can't be read." }),
    ).rejects.toMatchObject(gone);
    expect((await person.encoder.getEncode({ id: encodeId })).encode).toMatchObject({
      state: EncodeState.ENCODING,
      attempt: 2,
    });

    const { result, files } = await makeAndUpload(worker, second);
    await worker.completeTask({ lease: must(second.lease), result });
    await encodeOne(worker);
    await waitForState(person, encodeId, EncodeState.SUCCEEDED);
    const segment = await fetch(`${encoder.url}/videos/${videoId}/360p/1.m4s`);
    expect(Buffer.from(await segment.arrayBuffer())).toEqual(Buffer.from(must(files.get("360p/1.m4s"))));
    await expect(worker.completeTask({ lease: old, result: stale })).rejects.toMatchObject(gone);
  });

  it("are kept by heartbeats", async () => {
    const { worker, ...encoder } = installation.encoder;
    await startOne(encoder.person());
    const task = await lease(worker);
    await silence(task.lease);
    const { leaseExpireTime, directive } = await worker.heartbeat({ lease: must(task.lease) });
    expect(directive).toBe(Directive.CONTINUE);
    expect(Number(must(leaseExpireTime).seconds) * 1000).toBeGreaterThan(Date.now());
    await worker.completeTask({ lease: must(task.lease), result: { case: "probe", value: media } });
  });

  it("that are handed back cost no try, and begin again at once", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    for (let attempt = 1; attempt <= maxFaults + 2; attempt += 1) {
      const task = await lease(worker);
      expect(task.lease?.attempt).toBe(attempt);
      const back = { lease: must(task.lease), kind: FailureKind.RETURNED, message: "The worker stops." };
      await worker.failTask(back);
      await worker.failTask(back);
      expect((await person.encoder.getEncode({ id: encodeId })).encode?.state).toBe(EncodeState.QUEUED);
    }
  });

  it("that are handed back keep their place in the queue; a task that the queue has lost is queued again", async () => {
    const { worker, ...encoder } = installation.encoder;
    const { pool } = installation.database;
    const jobOf = async (id: string) =>
      (await pool.query("SELECT state, created_on, retry_count FROM encoder_queue.job WHERE id = $1", [id])).rows[0];
    await startOne(encoder.person());
    const task = await lease(worker);
    const { taskId } = must(task.lease);
    const before = await jobOf(taskId);
    const back = { kind: FailureKind.RETURNED, message: "The worker stops." };
    await worker.failTask({ lease: must(task.lease), ...back });
    expect(await jobOf(taskId)).toEqual({ ...before, state: "retry" });
    const again = await lease(worker);
    await pool.query("DELETE FROM encoder_queue.job WHERE id = $1", [taskId]);
    await worker.failTask({ lease: must(again.lease), ...back });
    expect((await lease(worker)).lease).toMatchObject({ taskId, attempt: 3 });
  });

  it("that end by a machine's fault are given up after a few, with the last fault in the sentence", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    await probe(worker);
    for (let attempt = 1; attempt <= maxFaults; attempt += 1) {
      // The pauses between the attempts are a matter of the queue's; here nobody waits for them.
      await installation.database.pool.query("UPDATE encoder_queue.job SET start_after = now() WHERE state = 'retry'");
      const task = await leaseEncode(worker);
      await makeAndUpload(worker, task);
      await worker.failTask({
        lease: must(task.lease),
        kind: FailureKind.MACHINE,
        message: `It ran out of memory (${attempt}).\u0000`,
      });
    }
    const encode = await waitForState(person, encodeId, EncodeState.FAILED);
    expect(encode.error).toBe(
      `A worker could not encode chunk 1. It was given up after ${maxFaults} attempts. The last one ended like this: It ran out of memory (5).`,
    );
    await expect.poll(() => installation.quota.reservations.get(encodeId)?.state, soon).toBe("released");
    const { task } = await worker.leaseTask({ workerId: "w", encoders: ["cpu"], kinds });
    expect(task).toBeUndefined();
  });

  it("that end by the input's fault fail the encode at once", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    const task = await lease(worker);
    const failure = { lease: must(task.lease), kind: FailureKind.INPUT, message: "This is a text file." };
    await worker.failTask(failure);
    await worker.failTask(failure);
    const { encode } = await person.encoder.getEncode({ id: encodeId });
    expect(encode).toMatchObject({ state: EncodeState.FAILED, error: "This is a text file.", attempt: 1 });
    await expect(
      worker.completeTask({ lease: must(task.lease), result: { case: "probe", value: media } }),
    ).rejects.toMatchObject(gone);
    await expect(person.encoder.cancelEncode({ id: encodeId })).rejects.toMatchObject({
      code: Code.FailedPrecondition,
    });
  });
});

describe("a cancelled encode", () => {
  it("stops its worker by the next heartbeat and is never leased again", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    await probe(worker);
    const task = await leaseEncode(worker);
    const held = must(task.lease);
    const { result } = await makeAndUpload(worker, task);
    expect((await person.encoder.cancelEncode({ id: encodeId })).encode?.state).toBe(EncodeState.CANCELLED);
    expect((await person.encoder.cancelEncode({ id: encodeId })).encode?.state).toBe(EncodeState.CANCELLED);

    expect((await worker.heartbeat({ lease: held })).directive).toBe(Directive.CANCEL);
    await expect(worker.createUploads({ lease: held, paths: ["a"] })).rejects.toMatchObject(gone);
    await expect(worker.completeTask({ lease: held, result })).rejects.toMatchObject(gone);
    await worker.failTask({ lease: held, kind: FailureKind.RETURNED, message: "It was cancelled." });
    expect((await person.encoder.getEncode({ id: encodeId })).encode?.state).toBe(EncodeState.CANCELLED);
    expect((await worker.leaseTask({ workerId: "w", encoders: ["cpu"], kinds })).task).toBeUndefined();
    await expect.poll(() => installation.quota.reservations.get(encodeId)?.state, soon).toBe("released");
  });

  it("is skipped by the queue, and the next one is leased", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId: cancelled } = await startOne(person);
    // As if the server had died before it could drop the task from the queue.
    await installation.database.pool.query("UPDATE encodes SET state = 'cancelled' WHERE id = $1", [cancelled]);
    await installation.database.pool.query("UPDATE tasks SET state = 'cancelled' WHERE encode_id = $1", [cancelled]);
    const { encodeId } = await startOne(person);
    expect((await lease(worker)).encodeId).toBe(encodeId);
  });
});

describe("results", () => {
  it("are published once, however often and at the same time they are reported", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    await probe(worker);
    const task = await leaseEncode(worker);
    const { result } = await makeAndUpload(worker, task);
    const report = () => worker.completeTask({ lease: must(task.lease), result });
    await Promise.all([report(), report(), report()]);
    await encodeOne(worker);
    await waitForState(person, encodeId, EncodeState.SUCCEEDED);
    const { rowCount } = await installation.database.pool.query(
      "SELECT FROM encoder_queue.job WHERE name = 'control.settle' AND data ->> 'encodeId' = $1",
      [encodeId],
    );
    expect(rowCount).toBe(1);
  });

  it("that aren't what was planned count as the machine's fault", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    await probe(worker);
    const task = await leaseEncode(worker);
    const { result } = await makeAndUpload(worker, task);
    if (result.case !== "encodeChunk") throw new Error("no chunk");
    const chunk = result.value as ChunkResult;
    const [first] = chunk.renditions;
    const short = { ...chunk, frames: 48, renditions: chunk.renditions.map((track) => ({ ...track, frames: 48 })) };
    await expect(
      worker.completeTask({ lease: must(task.lease), result: { case: "encodeChunk", value: short } }),
    ).rejects.toMatchObject({
      code: Code.FailedPrecondition,
      rawMessage: expect.stringContaining("48 frames instead of 240"),
    });

    const again = await leaseEncode(worker);
    expect(again.lease?.attempt).toBe(2);
    // The second attempt uploads nothing, and the first one's files don't count.
    await expect(worker.completeTask({ lease: must(again.lease), result })).rejects.toMatchObject({
      rawMessage: expect.stringContaining(`${must(first).name}/init.mp4 was never uploaded`),
    });
    expect((await person.encoder.getEncode({ id: encodeId })).encode?.state).toBe(EncodeState.ENCODING);
  });

  it("of the wrong kind are refused", async () => {
    const { worker, ...encoder } = installation.encoder;
    await startOne(encoder.person());
    const task = await lease(worker);
    await expect(
      worker.completeTask({
        lease: must(task.lease),
        result: { case: "encode", value: { video: [], poster: "" } },
      }),
    ).rejects.toMatchObject({ code: Code.InvalidArgument });
    await expect(worker.createUploads({ lease: must(task.lease), paths: ["a"] })).rejects.toMatchObject({
      code: Code.InvalidArgument,
    });
    await worker.completeTask({ lease: must(task.lease), result: { case: "probe", value: media } });
  });

  it("are written below the attempt's own prefix, whatever path is asked for", async () => {
    const { worker, ...encoder } = installation.encoder;
    await startOne(encoder.person());
    await probe(worker);
    const task = await leaseEncode(worker);
    for (const path of ["../x", "/x", "a/../../x", ".x", "a/b/c", "", "a\\b", "%2e%2e/x"]) {
      await expect(
        worker.createUploads({ lease: must(task.lease), paths: [path] }),
        JSON.stringify(path),
      ).rejects.toMatchObject({ code: Code.InvalidArgument });
    }
    const { urls } = await worker.createUploads({ lease: must(task.lease), paths: ["720p/1.m4s"] });
    expect(new URL(must(urls[0])).pathname).toMatch(
      /^\/objects\/videos\/[0-9a-f-]{36}\/[0-9a-f-]{36}\/[0-9a-f-]{36}\/1\/720p\/1\.m4s$/,
    );
  });
});

describe("waiting for a task", () => {
  it("ends as soon as there is one, and each task goes to one worker", async () => {
    const { worker, ...encoder } = installation.encoder;
    const waiting = ["a", "b", "c"].map((name) => lease(worker, name));
    const person = encoder.person();
    const started = [await startOne(person), await startOne(person), await startOne(person)];
    const tasks = await Promise.all(waiting);
    expect(tasks.map(({ encodeId }) => encodeId).sort()).toEqual(started.map(({ encodeId }) => encodeId).sort());
  });

  it("ends without one after the time that was asked for, and for a worker that can do none of them", async () => {
    const { worker, ...encoder } = installation.encoder;
    expect(
      (await worker.leaseTask({ workerId: "w", encoders: ["cpu"], kinds, wait: { seconds: 0n, nanos: 1e8 } })).task,
    ).toBeUndefined();
    await startOne(encoder.person());
    expect(
      (
        await worker.leaseTask({
          workerId: "w",
          encoders: ["nvenc"],
          kinds: encoderWork,
          wait: { seconds: 0n, nanos: 1e8 },
        })
      ).task,
    ).toBeUndefined();
    expect((await worker.leaseTask({ workerId: "w", encoders: [], kinds: encoderWork })).task).toBeUndefined();
    expect((await lease(worker)).lease?.attempt).toBe(1);
  });

  it("by a worker that has gone away loses no task", async () => {
    const { worker, ...encoder } = installation.encoder;
    const transport = createClientTransport({ baseUrl: encoder.url, token: "worker", timeoutMs: 30_000 });
    const leaving = new AbortController();
    const waiting = createClient(WorkerService, transport).leaseTask(
      { workerId: "leaving", encoders: ["cpu"], kinds, wait: { seconds: 20n, nanos: 0 } },
      { signal: leaving.signal },
    );
    waiting.catch(() => {});
    setTimeout(() => leaving.abort(), 50);
    await expect(waiting).rejects.toMatchObject({ code: Code.Canceled });
    transport.close();
    await startOne(encoder.person());
    expect((await lease(worker)).encodeId).toBeDefined();
  });

  it("comes back empty when the server stops", async () => {
    const waiting = installation.encoder.worker.leaseTask({
      workerId: "w",
      encoders: ["cpu"],
      kinds,
      wait: { seconds: 30n, nanos: 0 },
    });
    await expect
      .poll(async () => (await installation.encoder.worker.leaseTask({ workerId: "x", encoders: ["cpu"], kinds })).task)
      .toBeUndefined();
    installation.encoder.drain();
    expect((await waiting).task).toBeUndefined();
    await installation.restart();
  });
});

describe("credentials", () => {
  it("let a worker do a worker's things only, and people none of them", async () => {
    const { worker, account, ...encoder } = installation.encoder;
    const person = encoder.person();
    const call = (token: string) =>
      fetch(`${encoder.url}/encoder.v1.WorkerService/LeaseTask`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
        body: JSON.stringify({ workerId: "w", encoders: ["cpu"], kinds }),
      });
    expect([(await call("worker")).status, (await call(person.token)).status, (await call("")).status]).toEqual([
      200, 403, 401,
    ]);
    const { encodeId } = await startOne(person);
    await expect(encoder.person().encoder.cancelEncode({ id: encodeId })).rejects.toMatchObject({
      code: Code.NotFound,
    });
    await probe(worker);
    await encodeOne(worker);
    await account.deleteAccountData({ userId: person.id });
  });
});

it("workers are answered while people's calls are refused, because there are too many", async () => {
  const { database, dataDir, quota } = installation;
  const busy = await startEncoder({ database, dataDir, quota, shedding: { maxLimit: 1 } });
  const person = busy.person();
  await startOne(person);
  const task = await lease(busy.worker);
  const blocker = await database.pool.connect();
  await blocker.query("BEGIN");
  await blocker.query("LOCK TABLE videos");
  const slow = person.encoder.listVideos({});
  await expect
    .poll(
      () =>
        person.encoder.listEncodes({}, { timeoutMs: 200 }).then(
          () => "answered",
          (error: ConnectError) => error.rawMessage,
        ),
      soon,
    )
    .toContain("more to do than it can do in time");
  const beats = await Promise.all(Array.from({ length: 10 }, () => busy.worker.heartbeat({ lease: must(task.lease) })));
  expect(beats.map(({ directive }) => directive)).toEqual(Array(10).fill(Directive.CONTINUE));
  await blocker.query("ROLLBACK");
  blocker.release();
  await slow;
  await busy.close();
});
