import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, type NodeProcess, startNode, temporaryFolder, waitUntilReady } from "@kinora/testing";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let port: number;
let userPort: number;
const started: NodeProcess[] = [];
const servers: Server[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
  port = await freePort();
  userPort = await freePort();
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.stop("SIGTERM")));
  for (const server of servers.splice(0)) server.close();
  await folder.remove();
});

const start = (env: Record<string, string> = {}) => {
  const process = startNode("apps/encoder/src/main.ts", {
    env: {
      KINORA_DATA: folder.path,
      PORT: String(port),
      USER_URL: `http://127.0.0.1:${userPort}`,
      DATABASE_URL: undefined,
      ...env,
    },
  });
  started.push(process);
  return process;
};
const url = () => `http://127.0.0.1:${port}`;

/** Calls a method as JSON over HTTP/1.1. */
async function call(method: string, message: object, token?: string): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${url()}/encoder.v1.${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(message),
  });
  return { status: answer.status, body: await answer.json() };
}

/** Stands for the user service as far as the encoder needs it to know who calls: its key set. */
async function serveKeys() {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA");
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: "1", alg: "EdDSA", use: "sig" }] };
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(keys));
  });
  servers.push(server.listen(userPort, "127.0.0.1"));
  return (audience: string) =>
    new SignJWT({ sid: "1", role: "member" })
      .setProtectedHeader({ alg: "EdDSA", kid: "1", typ: "at+jwt" })
      .setSubject(crypto.randomUUID())
      .setIssuer("kinora")
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime("10m")
      .sign(privateKey);
}

describe("the encoder as a process", () => {
  it("starts without the user service, says where it is, and ends at a signal", async () => {
    const encoder = start();
    await waitUntilReady(url());
    expect(encoder.output()).toContain(`encoder is ready at http://localhost:${port}`);
    expect(await (await fetch(`${url()}/.well-known/kinora`)).json()).toEqual({
      user: `http://127.0.0.1:${userPort}`,
      encoder: `http://localhost:${port}`,
    });
    expect(JSON.parse(await readFile(join(folder.path, "run/encoder.json"), "utf8"))).toEqual({
      url: `http://localhost:${port}`,
      pid: encoder.pid,
    });
    const worker = await readFile(join(folder.path, "credentials/worker"), "utf8");
    const lease = { workerId: "w", encoders: ["cpu"], kinds: ["TASK_KIND_ENCODE_CHUNK"] };
    expect(await call("WorkerService/LeaseTask", lease, worker.trim())).toEqual({ status: 200, body: {} });
    expect(await call("WorkerService/LeaseTask", lease)).toMatchObject({ status: 401 });
    // Nobody can be recognised now; once the user service is there, they can.
    const early = `eyJhbGciOiJFZERTQSIsImtpZCI6IjEiLCJ0eXAiOiJhdCtqd3QifQ.eyJzdWIiOiIxIn0.${"A".repeat(86)}`;
    expect(await call("EncoderService/ListVideos", {}, early)).toMatchObject({ status: 503 });
    const sign = await serveKeys();
    const listed = await call("EncoderService/ListVideos", {}, await sign("kinora"));
    expect(listed).toEqual({ status: 200, body: {} });
    expect(await call("EncoderService/ListVideos", {}, await sign("others"))).toMatchObject({ status: 401 });

    // A worker that waits and somebody who watches don't hold it up.
    const waiting = call("WorkerService/LeaseTask", { ...lease, wait: "20s" }, worker.trim());
    waiting.catch(() => {}); // it is looked at below
    await sleep(1_000); // a request that hasn't arrived yet would find the connection closed, and rightly so
    const end = await encoder.stop("SIGINT");
    expect(end).toMatchObject({ code: 0, stderr: "" });
    expect(await waiting).toEqual({ status: 200, body: {} });
    expect(existsSync(join(folder.path, "run/encoder.json"))).toBe(false);
  });

  it("keeps uploads and videos when it is killed", async () => {
    const sign = await serveKeys();
    const token = await sign("kinora");
    const first = start();
    await waitUntilReady(url());
    const created = await call("EncoderService/CreateVideo", { name: "a.mp4", sizeBytes: "10" }, token);
    const { uploadUrl, video } = created.body as { uploadUrl: string; video: { id: string } };
    expect(uploadUrl).toBe(`http://localhost:${port}/uploads/${video.id}`);
    const upload = (method: string, headers: Record<string, string>, body?: string) =>
      fetch(`${url()}/uploads/${video.id}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "tus-resumable": "1.0.0", ...headers },
        ...(body !== undefined && { body }),
      });
    const type = { "content-type": "application/offset+octet-stream" };
    expect((await upload("PATCH", { ...type, "upload-offset": "0" }, "01234")).status).toBe(204);
    await first.stop("SIGKILL");

    start();
    await waitUntilReady(url());
    expect((await upload("HEAD", {})).headers.get("upload-offset")).toBe("5");
    expect((await upload("PATCH", { ...type, "upload-offset": "5" }, "56789")).status).toBe(204);
    const encode = await call("EncoderService/StartEncode", { videoId: video.id }, token);
    expect(encode).toMatchObject({ status: 200, body: { encode: { state: "ENCODE_STATE_QUEUED" } } });
  });
});

describe("what keeps it from starting is one line that says what to do", () => {
  it.each([
    [{ PORT: "80825" }, /PORT="80825": expected a port number/],
    [{ USER_URL: "localhost" }, /USER_URL="localhost": expected an address/],
    [{ DATABASE_URL: "postgres://nobody:secret-word@127.0.0.1:1/none" }, /127\.0\.0\.1:1/],
  ])("%j", async (env, sentence) => {
    const end = await start(env as Record<string, string>).exit;
    expect(end.code).toBe(1);
    expect(end.stderr.trim().split("\n")).toHaveLength(1);
    expect(end.stderr).toMatch(sentence);
    expect(end.stderr + end.stdout).not.toContain("secret-word");
  });

  it("when the port is taken", async () => {
    start();
    await waitUntilReady(url());
    await using other = await temporaryFolder();
    const end = await start({ KINORA_DATA: other.path }).exit;
    expect(end.code).toBe(1);
    expect(end.stderr.trim().split("\n")).toHaveLength(1);
    expect(end.stderr).toContain(String(port));
  });
});
