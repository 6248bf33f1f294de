/**
 * What a worker relies on in the encoder, beyond the shapes of messages. `kinora-deploy record` keeps this program with what is deployed, and
 * `kinora-deploy can-i-deploy encoder` runs it against the candidate: PROVIDER_URL is where that answers, PROVIDER_DATA its folder, USER_URL the user service beside it.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { after, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Directive, EncoderService, FailureKind, type Task, TaskKind, WorkerService } from "@kinora/proto-encoder";
import { KeyService, SessionService } from "@kinora/proto-user";
import { createClientTransport } from "@kinora/rpc";
import { frames, media } from "./short-video.ts";

const { PROVIDER_URL: baseUrl = "", PROVIDER_DATA: data = "", USER_URL: userUrl = "" } = process.env;
// As a worker of the encoder's machine does: the key in the data folder is exchanged at the user service.
const key = `kinora_contract_${randomBytes(32).toString("base64url")}`;
await writeFile(`${data}/credentials/worker-key`, key, { mode: 0o600 });
const toKeys = createClientTransport({ baseUrl: userUrl });
const { accessToken: token } = await createClient(KeyService, toKeys).exchangeKey({ key, audiences: ["encoder"] });
toKeys.close();
const transport = createClientTransport({ baseUrl, token, timeoutMs: 40_000 });
after(() => transport.close());
const encoder = createClient(WorkerService, transport);

/** What one of our slots asks for: all that fills a machine; and what another does: the rest. */
const heavy = [TaskKind.ENCODE_CHUNK, TaskKind.TRIAL, TaskKind.ENCODE];
const light = [TaskKind.PROBE, TaskKind.ANALYSE, TaskKind.AUDIO, TaskKind.IMAGES, TaskKind.VERIFY];
const offer = { workerId: "contract", encoders: ["cpu"], slots: 1, cores: 2, memoryBytes: 4n << 30n };

const codeOf = (call: Promise<unknown>): Promise<Code | undefined> =>
  call.then(
    () => undefined,
    (error) => ConnectError.from(error).code,
  );

test("where there is no work, the answer has no task, after the time that was asked for and not at once", async () => {
  const asked = performance.now();
  const { task } = await encoder.leaseTask({ ...offer, kinds: light, wait: { seconds: 1n, nanos: 0 } });
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
    const call = createClient(WorkerService, anonymous).leaseTask({ ...offer, kinds: light });
    assert.equal(await codeOf(call), Code.Unauthenticated);
  } finally {
    anonymous.close();
  }
});

/** Somebody sends a video of these bytes and starts its encode. */
async function startEncode(bytes: Buffer): Promise<void> {
  const toUser = createClientTransport({ baseUrl: userUrl });
  const owner: { email: string; password: string } = JSON.parse(
    await readFile(`${data}/credentials/owner.json`, "utf8"),
  );
  const { tokens } = await createClient(SessionService, toUser).createSession(owner);
  toUser.close();
  const accessToken = tokens?.accessToken ?? "";
  const person = createClientTransport({ baseUrl, token: accessToken });
  after(() => person.close());
  const videos = createClient(EncoderService, person);
  const { video, uploadUrl } = await videos.createVideo({ name: "contract.mp4", sizeBytes: BigInt(bytes.length) });
  const answer = await fetch(uploadUrl, {
    method: "PATCH",
    body: new Uint8Array(bytes),
    headers: {
      authorization: `Bearer ${accessToken}`,
      "tus-resumable": "1.0.0",
      "upload-offset": "0",
      "content-type": "application/offset+octet-stream",
    },
  });
  assert.equal(answer.status, 204);
  await videos.startEncode({ videoId: video?.id ?? "", settings: { segmentSeconds: 10 } });
}

/** The next task, asked for as this release asks. */
async function lease(kinds: TaskKind[]): Promise<Task & { lease: NonNullable<Task["lease"]> }> {
  const { task } = await encoder.leaseTask({ ...offer, kinds, wait: { seconds: 30n, nanos: 0 } });
  assert.ok(task?.lease, `there is no task of the kinds ${kinds}`);
  return { ...task, lease: task.lease };
}

test("an encode comes to a worker as tasks: it reads the source, keeps its lease, writes files and reports", async () => {
  const bytes = Buffer.from("the bytes of a video");
  await startEncode(bytes);

  const probe = await lease(light);
  assert.equal(probe.work.case, "probe");
  const part = await fetch(probe.sourceUrl, { headers: { range: "bytes=4-8" } });
  assert.equal(part.status, 206);
  assert.equal(await part.text(), bytes.subarray(4, 9).toString());
  assert.equal((await encoder.heartbeat({ lease: probe.lease, fraction: 0.5 })).directive, Directive.CONTINUE);
  // An answer may get lost: what is reported twice counts once.
  for (let repeat = 0; repeat < 2; repeat++)
    await encoder.completeTask({ lease: probe.lease, result: { case: "probe", value: media } });

  const analysis = await lease(light);
  assert.equal(analysis.work.case, "analyse");
  await encoder.completeTask({ lease: analysis.lease, result: { case: "analyse", value: frames } });

  const handedBack = await lease(heavy);
  await encoder.failTask({ lease: handedBack.lease, kind: FailureKind.RETURNED, message: "contract test" });
  const chunk = await lease(heavy);
  assert.equal(chunk.work.case, "encodeChunk");
  if (handedBack.lease.taskId === chunk.lease.taskId) {
    assert.ok(chunk.lease.attempt > handedBack.lease.attempt);
    assert.equal(await codeOf(encoder.heartbeat({ lease: handedBack.lease })), Code.Aborted);
  }
  const rendition = chunk.work.case === "encodeChunk" ? chunk.work.value.video?.renditions[0]?.name : undefined;
  const file = { path: `${rendition}/1.m4s`, bytes: 5n };
  const { uploads } = await encoder.createUploads({ lease: chunk.lease, paths: [file.path], files: [file] });
  assert.equal(uploads.length, 1);
  const put = await fetch(uploads[0]?.url ?? "", {
    method: "PUT",
    body: "bytes",
    headers: { "content-type": uploads[0]?.contentType ?? "" },
  });
  assert.ok(put.ok);

  await encoder.failTask({ lease: chunk.lease, kind: FailureKind.INPUT, message: "contract test" });
  assert.equal(await codeOf(encoder.createUploads({ lease: chunk.lease, files: [file] })), Code.Aborted);
});
