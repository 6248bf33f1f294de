import { rename, truncate } from "node:fs/promises";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { EncodeState, FailureKind, VideoState } from "@kinora/proto-encoder";
import { afterEach, describe, expect, it } from "vitest";
import {
  encodeOne,
  lease,
  leaseEncode,
  makeAndUpload,
  must,
  type Person,
  patchUpload,
  probe,
  soon,
  startOne,
  waitForState,
} from "./testing/harness.ts";
import { media } from "./testing/media.ts";
import { useEncoder } from "./testing/use-encoder.ts";

const installation = useEncoder();

afterEach(async () => {
  installation.quota.away = false;
  await installation.database.pool.query("DELETE FROM videos");
});

/** Does whatever is left to do, and expects the encode to succeed. */
async function finish(person: Person, encodeId: string): Promise<void> {
  const back = installation.encoder.again(person);
  const { state } = must((await back.encoder.getEncode({ id: encodeId })).encode);
  if (state === EncodeState.QUEUED) await probe(installation.encoder.worker);
  await encodeOne(installation.encoder.worker);
  await waitForState(back, encodeId, EncodeState.SUCCEEDED);
}

describe("a restart", () => {
  it("while an encode waits for its probe", async () => {
    const person = installation.encoder.person();
    const { encodeId } = await startOne(person);
    await installation.restart();
    await finish(person, encodeId);
  });

  it("while it is probed: the worker doesn't notice", async () => {
    const person = installation.encoder.person();
    const { encodeId } = await startOne(person);
    const task = await lease(installation.encoder.worker);
    // Long enough for the lease to end, as far as the database knows.
    await installation.database.pool.query("UPDATE tasks SET lease_expires_at = now() - interval '1 hour'");
    await installation.restart();
    await installation.encoder.worker.heartbeat({ lease: must(task.lease) });
    const found = { lease: must(task.lease), result: { case: "probe", value: media } } as const;
    await installation.encoder.worker.completeTask(found);
    await finish(person, encodeId);
  });

  it("while it waits for the user service", async () => {
    const person = installation.encoder.person();
    const { encodeId } = await startOne(person);
    installation.quota.away = true;
    await probe(installation.encoder.worker);
    await installation.restart();
    installation.quota.away = false;
    await finish(person, encodeId);
  });

  it("while the plan's job runs in a process that is killed", async () => {
    const person = installation.encoder.person();
    const { encodeId } = await startOne(person);
    installation.quota.away = true;
    await probe(installation.encoder.worker);
    await installation.encoder.close();
    // What a killed process leaves: a job that looks as if somebody were at it.
    await installation.database.pool.query(
      "UPDATE encoder_queue.job SET state = 'active', started_on = now() - interval '1 minute' WHERE name = 'control.plan'",
    );
    installation.quota.away = false;
    await installation.restart();
    await finish(person, encodeId);
  });

  it("while it is planned", async () => {
    const person = installation.encoder.person();
    const { encodeId } = await startOne(person);
    await probe(installation.encoder.worker);
    await waitForState(person, encodeId, EncodeState.PLANNED);
    await installation.restart();
    await finish(person, encodeId);
  });

  it("while it is encoded: uploads and results go on under the same lease", async () => {
    const person = installation.encoder.person();
    const { encodeId, videoId } = await startOne(person);
    await probe(installation.encoder.worker);
    const task = await leaseEncode(installation.encoder.worker);
    const { result } = await makeAndUpload(installation.encoder.worker, task);
    await installation.restart();
    const { worker, url } = installation.encoder;
    await worker.completeTask({ lease: must(task.lease), result });
    await encodeOne(worker);
    await waitForState(installation.encoder.again(person), encodeId, EncodeState.SUCCEEDED);
    expect((await fetch(`${url}/videos/${videoId}/master.m3u8`)).status).toBe(200);
    await installation.restart();
    expect((await fetch(`${installation.encoder.url}/videos/${videoId}/master.m3u8`)).status).toBe(200);
  });

  it("in which the worker dies as well: somebody else gets the task", async () => {
    const person = installation.encoder.person();
    const { encodeId } = await startOne(person);
    await probe(installation.encoder.worker);
    await leaseEncode(installation.encoder.worker);
    const { pool } = installation.database;
    const expire = () => pool.query("UPDATE tasks SET lease_expires_at = now() - interval '1 hour'");
    await expire();
    await installation.restart();
    // The restart gives the worker time to report.
    const extended = async () => (await pool.query("SELECT FROM tasks WHERE lease_expires_at > now()")).rowCount;
    await expect.poll(extended, soon).toBe(1);
    await expire();
    const task = await leaseEncode(installation.encoder.worker);
    expect(task.lease?.attempt).toBe(2);
    await installation.encoder.worker.failTask({
      lease: must(task.lease),
      kind: FailureKind.INPUT,
      message: "Enough.",
    });
    await waitForState(installation.encoder.again(person), encodeId, EncodeState.FAILED);
  });
});

describe("a database that breaks its connections", () => {
  it("makes calls unavailable for a moment; leases and jobs go on after it", async () => {
    const { worker, ...encoder } = installation.encoder;
    const { pool } = installation.database;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    await probe(worker);
    const task = await leaseEncode(worker);
    const { result } = await makeAndUpload(worker, task);

    const breakConnections = () =>
      pool.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
      );
    await breakConnections();

    const codes = new Set<Code | "ok">();
    const beat = async () => {
      const code = await worker.heartbeat({ lease: must(task.lease) }).then(
        () => "ok" as const,
        (error: unknown) => ConnectError.from(error).code,
      );
      codes.add(code);
      return code;
    };
    await Promise.all([beat(), beat(), breakConnections(), beat(), beat()]);
    await expect.poll(beat, soon).toBe("ok");
    expect([...codes].filter((code) => code !== "ok" && code !== Code.Unavailable)).toEqual([]);
    await worker.completeTask({ lease: must(task.lease), result });
    await encodeOne(worker);
    await waitForState(person, encodeId, EncodeState.SUCCEEDED);
    await expect.poll(() => installation.quota.reservations.get(encodeId)?.state, soon).toBe("settled");
    const { encodeId: next } = await startOne(person);
    await finish(person, next);
  });
});

describe("a crash at the end of an upload", () => {
  const upload = async (sent: number) => {
    const person = installation.encoder.person();
    const { video, uploadUrl } = await person.encoder.createVideo({ name: "a", sizeBytes: 12n });
    await patchUpload(uploadUrl, person.token, 0, Buffer.from("source bytes").subarray(0, sent));
    return { person, videoId: must(video).id };
  };
  const stateAfterRestart = async (person: Person, videoId: string) => {
    await installation.restart();
    const { encoder } = installation.encoder.again(person);
    return async () => (await encoder.getVideo({ id: videoId })).video?.state;
  };

  it("before the file is taken over is healed", async () => {
    const { person, videoId } = await upload(11);
    await installation.encoder.close();
    await truncate(join(installation.dataDir, "encoder/uploads", videoId), 12);
    await expect.poll(await stateAfterRestart(person, videoId), soon).toBe(VideoState.UPLOADED);
  });

  it("between the file's renaming and the note of it is healed", async () => {
    const { person, videoId } = await upload(12);
    await installation.encoder.close();
    await installation.database.pool.query("UPDATE videos SET state = 'uploading' WHERE id = $1", [videoId]);
    await expect.poll(await stateAfterRestart(person, videoId), soon).toBe(VideoState.UPLOADED);
  });

  it("is healed by StartEncode as well", async () => {
    const { person, videoId } = await upload(12);
    const folder = join(installation.dataDir, "encoder");
    await installation.database.pool.query("UPDATE videos SET state = 'uploading' WHERE id = $1", [videoId]);
    await rename(join(folder, "objects/videos", videoId, "source"), join(folder, "uploads", videoId));
    expect((await person.encoder.startEncode({ videoId })).encode?.state).toBe(EncodeState.QUEUED);
  });
});
