import { createHash } from "node:crypto";
import { Code } from "@connectrpc/connect";
import type { ChunkResult } from "@kinora/media";
import { EncodeState, FailureKind, type Task } from "@kinora/proto-encoder";
import { beforeEach, describe, expect, it } from "vitest";
import {
  encodeOne,
  kinds,
  leaseEncode,
  makeAndUpload,
  must,
  probe,
  startOne,
  waitForState,
  work,
} from "./testing/harness.ts";
import { useEncoder } from "./testing/use-encoder.ts";

const installation = useEncoder(undefined, { triesElsewhere: true });

// Tasks that an earlier test left in the queue would be leased by the next one.
beforeEach(async () => {
  await installation.database.pool.query("DELETE FROM videos");
});

/** Whether the fleet's other worker, which never asks, is there. */
async function fleetSeen(when: "now() + interval '1 day'" | "'-infinity'"): Promise<void> {
  await installation.database.pool.query(`UPDATE workers SET seen_at = ${when} WHERE id = 'fleet'`);
}

/** Does what there is beside chunks. */
async function doLightWork(): Promise<void> {
  const { worker } = installation.encoder;
  const wait = { seconds: 0n, nanos: 5e8 };
  for (;;) {
    const { task } = await worker.leaseTask({ workerId: "light", encoders: [], kinds, wait });
    if (task === undefined) return;
    await work(worker, task);
  }
}

/** A video whose only chunk is in the hands of a worker, with nothing else left to do. */
async function leaseOnlyChunk(workerId: string): Promise<Task> {
  const { worker, ...encoder } = installation.encoder;
  await startOne(encoder.person());
  await probe(worker);
  const chunk = await leaseEncode(worker, workerId);
  await doLightWork();
  return chunk;
}

const chunkOf = (task: Task) => (task.work.case === "encodeChunk" ? task.work.value.chunk?.index : undefined);
const machine = { kind: FailureKind.MACHINE, message: "It ran out of memory." };

describe("a task that failed at a worker's hands", () => {
  it("is for another one, if there is one", async () => {
    await fleetSeen("now() + interval '1 day'");
    const { worker } = installation.encoder;
    const first = await leaseOnlyChunk("faulty");
    await worker.failTask({ lease: must(first.lease), ...machine });
    const wait = { seconds: 3n, nanos: 0 };
    expect((await worker.leaseTask({ workerId: "faulty", encoders: ["cpu"], kinds, wait })).task).toBeUndefined();
    const other = await leaseEncode(worker, "other");
    expect(other.lease).toMatchObject({ taskId: first.lease?.taskId, attempt: 2 });
  });

  it("is for another one also when both ask at the same time", async () => {
    await fleetSeen("now() + interval '1 day'");
    const { worker } = installation.encoder;
    const first = await leaseOnlyChunk("faulty");
    const asking = ["faulty", "other"].map((workerId) =>
      worker.leaseTask({ workerId, encoders: ["cpu"], kinds, wait: { seconds: 5n, nanos: 0 } }),
    );
    await worker.failTask({ lease: must(first.lease), ...machine });
    const [faulty, other] = await Promise.all(asking);
    expect(faulty?.task).toBeUndefined();
    expect(other?.task?.lease).toMatchObject({ taskId: first.lease?.taskId, attempt: 2 });
  });

  it("goes to the same one again where nobody else is", async () => {
    await fleetSeen("'-infinity'");
    const { worker } = installation.encoder;
    const first = await leaseOnlyChunk("w1");
    await installation.database.pool.query("UPDATE workers SET seen_at = '-infinity' WHERE id <> 'w1'");
    await worker.failTask({ lease: must(first.lease), ...machine });
    const again = await leaseEncode(worker, "w1");
    expect(again.lease).toMatchObject({ taskId: first.lease?.taskId, attempt: 2 });
  });
});

describe("a codec configuration", () => {
  /** Completes a chunk as a worker would whose encoder isn't like the others'. */
  async function completeOddly(task: Task): Promise<void> {
    const { worker } = installation.encoder;
    const { result } = await makeAndUpload(worker, task);
    if (result.case !== "encodeChunk") throw new Error("no chunk");
    const chunk = result.value as ChunkResult;
    const initSha256 = createHash("sha256").update("odd").digest();
    const renditions = chunk.renditions.map((track) => ({ ...track, initSha256 }));
    await worker.completeTask({
      lease: must(task.lease),
      result: { case: "encodeChunk", value: { ...chunk, renditions } },
    });
  }

  it("that only the first chunk has gives way to the one on which two workers agree", async () => {
    await fleetSeen("now() + interval '1 day'");
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person, 4);
    await probe(worker);
    const first = await leaseEncode(worker, "odd");
    expect(chunkOf(first)).toBe(0);
    await completeOddly(first);
    const second = await leaseEncode(worker, "good 1");
    await expect(work(worker, second)).rejects.toMatchObject({ code: Code.FailedPrecondition });
    await work(worker, await leaseEncode(worker, "good 2"));
    expect(encoder.lines.join("\n")).toContain("chunks at fault are made again");
    await encodeOne(worker);
    const { result } = await waitForState(person, encodeId, EncodeState.SUCCEEDED);
    expect(result?.video[0]?.frames).toBe(240);
    const { rows } = await installation.database.pool.query(
      "SELECT attempt FROM tasks WHERE encode_id = $1 AND kind = 'encode_chunk' ORDER BY chunk",
      [encodeId],
    );
    expect(rows[0]).toEqual({ attempt: 2 });
  });

  it("gives way also where the odd worker has made another chunk since the first was refused", async () => {
    await fleetSeen("now() + interval '1 day'");
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person, 4);
    await probe(worker);
    await completeOddly(await leaseEncode(worker, "odd"));
    await expect(work(worker, await leaseEncode(worker, "good 1"))).rejects.toMatchObject({
      code: Code.FailedPrecondition,
    });
    await completeOddly(await leaseEncode(worker, "odd"));
    await work(worker, await leaseEncode(worker, "good 2"));
    await encodeOne(worker);
    await waitForState(person, encodeId, EncodeState.SUCCEEDED);
    const { rows } = await installation.database.pool.query("SELECT inits FROM encodes WHERE id = $1", [encodeId]);
    expect(Object.values(rows[0].inits)).not.toContain(createHash("sha256").update("odd").digest("hex"));
  });

  it("of one worker alone never does, however often it comes", async () => {
    await fleetSeen("'-infinity'");
    const { worker, ...encoder } = installation.encoder;
    const { encodeId } = await startOne(encoder.person(), 4);
    await probe(worker);
    await work(worker, await leaseEncode(worker, "good"));
    for (let times = 0; times < 2; times++) {
      await expect(completeOddly(await leaseEncode(worker, "odd"))).rejects.toMatchObject({
        code: Code.FailedPrecondition,
      });
      await installation.database.pool.query("UPDATE tasks SET avoided_until = NULL WHERE encode_id = $1", [encodeId]);
    }
    const { rows } = await installation.database.pool.query(
      "SELECT state, attempt FROM tasks WHERE encode_id = $1 AND chunk = 0",
      [encodeId],
    );
    expect(rows).toEqual([{ state: "done", attempt: 1 }]);
  });
});
