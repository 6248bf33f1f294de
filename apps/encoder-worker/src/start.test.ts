import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { WorkerService } from "@kinora/proto-encoder";
import { KeyService } from "@kinora/proto-user";
import { createServer, type RpcServer } from "@kinora/rpc";
import { createLogger, discoveryRoute } from "@kinora/service";
import { freePort, type NodeProcess, startNode, temporaryFolder, waitUntil, waitUntilReady } from "@kinora/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const started: NodeProcess[] = [];
const servers: RpcServer[] = [];

beforeEach(async () => {
  folder = await temporaryFolder("kinora-worker-app-");
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.stop("SIGTERM")));
  await Promise.all(servers.splice(0).map((server) => server.close(0)));
  await folder.remove();
});

function start(env: Record<string, string> = {}): NodeProcess {
  const process = startNode("apps/encoder-worker/src/main.ts", {
    env: { KINORA_DATA: folder.path, ENCODER_URL: undefined, PORT: undefined, ...env },
  });
  started.push(process);
  return process;
}

/** A token that lives for so long, as the user service gives for a key. */
const tokenFor = (key: string, seconds = 600) =>
  `h.${Buffer.from(JSON.stringify({ iat: 0, exp: seconds, key })).toString("base64url")}.s`;

/** An encoder without work, and a user service that takes any key, at one address; notes who asked for work. */
async function idleEncoder(
  port: number,
  tokenSeconds?: number,
): Promise<{ askers: { workerId: string; authorization: string | undefined }[] }> {
  const askers: { workerId: string; authorization: string | undefined }[] = [];
  const authorizations: (string | undefined)[] = [];
  const server = createServer({
    http: [discoveryRoute({ user: `http://127.0.0.1:${port}`, encoder: `http://127.0.0.1:${port}` })],
    routes(router) {
      router.service(KeyService, {
        exchangeKey({ key, audiences }) {
          expect(audiences).toEqual(["encoder"]);
          return { accessToken: tokenFor(key, tokenSeconds) };
        },
      });
      router.service(WorkerService, {
        async leaseTask({ workerId, wait }, { signal }) {
          askers.push({ workerId, authorization: authorizations.at(-1) });
          await sleep(wait ? durationMs(wait) : 0, undefined, { signal }).catch(() => {});
          return {};
        },
      });
    },
    authenticate: async (authorization) => {
      authorizations.push(authorization);
      return { kind: "worker", id: "built-in", scopes: "all", audiences: "all" };
    },
    logger: createLogger({ name: "encoder", level: "fatal" }),
  });
  servers.push(server);
  await server.listen({ port, host: "127.0.0.1" });
  return { askers };
}

describe("the worker as a process", () => {
  it("waits for the encoder, then asks for work with the installation's own credential", async () => {
    const port = await freePort();
    const worker = start({ ENCODER_URL: `http://127.0.0.1:${port}`, WORKER_ID: "worker-7" });
    await waitUntil("it says that it waits", () => worker.output().includes("the encoder does not answer"));
    const { askers } = await idleEncoder(port);
    await waitUntil("it asks for work", () => askers.length > 0);
    const key = (await readFile(join(folder.path, "credentials", "worker-key"), "utf8")).trim();
    expect(askers[0]).toEqual({ workerId: "worker-7", authorization: `Bearer ${tokenFor(key)}` });
    await waitUntil("it says that the encoder is back", () => worker.output().includes("the encoder answers again"));
    expect(worker.output().match(/does not answer/g)).toHaveLength(1);

    const { code, signal, ms } = await worker.stop("SIGTERM");
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(ms).toBeGreaterThan(0);
    expect(await readdir(join(folder.path, "worker"))).toEqual([]);
  });

  it("uses the key that it is given, rather than the credential of before", async () => {
    const port = await freePort();
    const { askers } = await idleEncoder(port);
    const key = "kinora_operator_key-of-a-worker-made-by-an-operator";
    const old = "a-credential-of-the-operator";
    start({ ENCODER_URL: `http://127.0.0.1:${port}`, WORKER_API_KEY: key, WORKER_TOKEN: old });
    await waitUntil("it asks for work", () => askers.length > 0);
    expect(askers[0]?.authorization).toBe(`Bearer ${tokenFor(key)}`);
  });

  it("uses the credential of before where there is nothing else, and says that it goes", async () => {
    const port = await freePort();
    const { askers } = await idleEncoder(port);
    const worker = start({ ENCODER_URL: `http://127.0.0.1:${port}`, WORKER_TOKEN: "a-credential-of-the-operator" });
    await waitUntil("it asks for work", () => askers.length > 0);
    expect(askers[0]?.authorization).toBe("Bearer a-credential-of-the-operator");
    expect(worker.output()).toContain("WORKER_TOKEN is deprecated");
  });

  it("says that its token can't be renewed while the user service is away, and when it is back", async () => {
    const [encoderPort, userPort] = [await freePort(), await freePort()];
    const { askers } = await idleEncoder(encoderPort);
    await idleEncoder(userPort, 6); // good for a second: of the last five nothing is shown any more
    const worker = start({
      ENCODER_URL: `http://127.0.0.1:${encoderPort}`,
      USER_URL: `http://127.0.0.1:${userPort}`,
      PORT: String(await freePort()),
    });
    await waitUntil("it asks for work", () => askers.length > 0);
    await servers.pop()?.close(0);
    await waitUntil("it says that it has none", () => /there is no access token/.test(worker.output()), 30_000);
    await idleEncoder(userPort);
    await waitUntil("it has one again", () => /exchanges this process's API key again/.test(worker.output()), 30_000);
  });

  it("answers health checks where PORT is set", async () => {
    const port = await freePort();
    const worker = start({ PORT: String(port), ENCODER_URL: `http://127.0.0.1:${await freePort()}` });
    await waitUntilReady(`http://127.0.0.1:${port}`);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    expect(await worker.stop("SIGINT")).toMatchObject({ code: 0 });
  });

  it("leases nothing more once it is told to drain, and lives on until it is ended", async () => {
    const port = await freePort();
    const encoderPort = await freePort();
    const { askers } = await idleEncoder(encoderPort);
    const worker = start({ PORT: String(port), ENCODER_URL: `http://127.0.0.1:${encoderPort}` });
    await waitUntil("it asks for work", () => askers.length > 0);
    await waitUntilReady(`http://127.0.0.1:${port}`);
    const answer = await fetch(`http://127.0.0.1:${port}/drain`);
    expect(await answer.json()).toEqual({ status: "drained" });
    const asked = askers.length;
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    expect(askers).toHaveLength(asked);
    expect(await worker.stop("SIGTERM")).toMatchObject({ code: 0 });
  });

  it("removes the spool that a killed worker left", async () => {
    const killed = start();
    await waitUntil("it is ready", () => killed.output().includes("ready"));
    const [left = ""] = await waitUntil("it has a spool", async () => {
      const names = await readdir(join(folder.path, "worker")).catch(() => []);
      return names.length > 0 && names;
    });
    await writeFile(join(folder.path, "worker", left, "1.m4s"), "bytes");
    await killed.stop("SIGKILL");
    const next = start();
    await waitUntil("the spool is the new one's", async () => {
      const names = await readdir(join(folder.path, "worker"));
      return names.length === 1 && names[0] !== left;
    });
    await next.stop("SIGTERM");
  });
});

describe("what keeps the worker from starting", () => {
  it.each([
    [
      { WORKER_SLOTS: "many", ENCODER_URL: "nowhere" },
      /WORKER_SLOTS="many": expected .*ENCODER_URL="nowhere": expected|ENCODER_URL="nowhere": expected .*WORKER_SLOTS="many": expected/,
    ],
    [{ WORKER_TOKEN: "short" }, /WORKER_TOKEN \(not shown\): expected/],
  ])("%j is told in one line", async (env, message) => {
    const { code, stderr } = await start(env).exit;
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).not.toContain("short");
  });

  it("a taken port, and a file where the spool should be, are told in one line", async () => {
    const taken = createTcpServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    const address = taken.address();
    const port = typeof address === "object" && address ? String(address.port) : "";
    const busy = await start({ PORT: port }).exit;
    taken.close();
    expect(busy.code).toBe(1);
    expect(busy.stderr).toMatch(new RegExp(`^encoder-worker: port ${port} is taken.*\n$`));
    await writeFile(join(folder.path, "file"), "");
    const blocked = await start({ KINORA_DATA: join(folder.path, "file") }).exit;
    expect(blocked.code).toBe(1);
    expect(blocked.stderr.trim().split("\n")).toHaveLength(1);
  });
});
