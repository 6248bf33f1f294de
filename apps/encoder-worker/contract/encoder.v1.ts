/**
 * What a worker relies on in the encoder, beyond the shapes of messages. `kinora-deploy record` keeps this program with what is deployed, and
 * `kinora-deploy can-i-deploy encoder` runs it against the candidate: PROVIDER_URL is where that answers, PROVIDER_DATA its folder.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Directive, FailureKind, WorkerService } from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";

const { PROVIDER_URL: baseUrl = "", PROVIDER_DATA: data = "" } = process.env;
const token = (await readFile(`${data}/credentials/worker`, "utf8")).trim();
const transport = createClientTransport({ baseUrl, token });
after(() => transport.close());
const encoder = createClient(WorkerService, transport);

const codeOf = (call: Promise<unknown>): Promise<Code | undefined> =>
  call.then(
    () => undefined,
    (error) => ConnectError.from(error).code,
  );

test("where there is no work, the answer has no task, after the time that was asked for and not at once", async () => {
  const asked = performance.now();
  const { task } = await encoder.leaseTask({
    workerId: "contract",
    encoders: ["cpu"],
    wait: { seconds: 1n, nanos: 0 },
  });
  assert.equal(task, undefined);
  assert.ok(performance.now() - asked >= 900);
});

test("a lease that isn't ours any more is refused as aborted, or told to be given up: then we drop the task", async () => {
  const lease = { taskId: randomUUID(), attempt: 1 };
  const heartbeat = await encoder.heartbeat({ lease }).catch((error) => ConnectError.from(error).code);
  assert.ok(heartbeat === Code.Aborted || (typeof heartbeat === "object" && heartbeat.directive === Directive.CANCEL));
  assert.equal(await codeOf(encoder.createUploads({ lease, paths: ["a.m4s"] })), Code.Aborted);
});

test("to report that a task failed that isn't ours any more does no harm", async () => {
  const lease = { taskId: randomUUID(), attempt: 1 };
  await encoder.failTask({ lease, kind: FailureKind.MACHINE, message: "contract test" });
});

test("without the workers' credential there is no work", async () => {
  const anonymous = createClientTransport({ baseUrl });
  try {
    const call = createClient(WorkerService, anonymous).leaseTask({ workerId: "contract", encoders: ["cpu"] });
    assert.equal(await codeOf(call), Code.Unauthenticated);
  } finally {
    anonymous.close();
  }
});
