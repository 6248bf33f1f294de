import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { openTestDatabase } from "@kinora/database/testing";
import { SessionService } from "@kinora/proto-user";
import { createClientTransport } from "@kinora/rpc";
import { freePort } from "@kinora/testing";
import { bundle } from "../harness/bundle.ts";

/** The user service as it is deployed, bundled, with a Postgres that is there before it. */
export type Installation = AsyncDisposable & {
  /** For processes of this machine. */
  databaseUrl: string;
  /** Starts the service; on a core of its own, if one is named. */
  start(core?: number): Promise<RunningService>;
};

export type RunningService = AsyncDisposable & {
  url: string;
  /** Milliseconds from its start until it answered that it is ready. */
  readyMs: number;
  residentBytes(): Promise<number>;
  /** Somebody who may ask who they are. */
  owner: { id: string; token: string; email: string; password: string };
};

export async function install(signal: AbortSignal): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), "kinora-bench-user-"));
  await bundle("apps/user/src/main.ts", join(folder, "app"), signal);
  const database = await openTestDatabase("bench", []);
  // The address is one of this process's files: others find it by this process's number.
  const databaseUrl = database.url.replaceAll("%2Fproc%2Fself", `%2Fproc%2F${process.pid}`);
  return {
    databaseUrl,
    async start(core) {
      const port = await freePort();
      const dataDir = join(folder, "data");
      await mkdir(dataDir, { recursive: true });
      const url = `http://127.0.0.1:${port}`;
      const command = [process.execPath, join(folder, "app/main.js")];
      const [program = "", ...args] = core === undefined ? command : ["taskset", "-c", String(core), ...command];
      const env = { PATH: process.env.PATH, KINORA_DATA: dataDir, PORT: String(port), DATABASE_URL: databaseUrl };
      const begun = performance.now();
      const service = spawn(program, args, {
        env: { ...env, LOG_LEVEL: "warn", NODE_ENV: "production", ...serviceEnvironment(folder) },
        stdio: ["ignore", "ignore", "inherit"],
      });
      await untilReady(`${url}/readyz`, service);
      const readyMs = performance.now() - begun;
      return {
        url,
        readyMs,
        residentBytes: () => residentBytesOf(service.pid ?? 0),
        owner: await loginOwner(url, dataDir),
        async [Symbol.asyncDispose]() {
          service.kill("SIGTERM");
          if (service.exitCode === null) await once(service, "exit");
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** As docs/operating.md says to start it: a young generation that suits a small service, and compiled code that the next start finds. */
const serviceEnvironment = (folder: string) => ({
  NODE_OPTIONS: "--max-semi-space-size=2",
  NODE_COMPILE_CACHE: join(folder, "compiled"),
});

/** Asks often, so that the time between two questions is none of what is measured; and cheaply, as the service wants the cores. */
async function untilReady(url: string, service: ChildProcess): Promise<void> {
  const isReady = () =>
    new Promise<boolean>((resolve) => {
      get(url, { agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      }).on("error", () => resolve(false));
    });
  while (!(await isReady())) {
    if (service.exitCode !== null) throw new Error(`the user service ended with exit code ${service.exitCode}`);
    await sleep(5);
  }
}

async function loginOwner(url: string, dataDir: string): Promise<RunningService["owner"]> {
  const { email, password } = JSON.parse(await readFile(join(dataDir, "credentials/owner.json"), "utf8"));
  const transport = createClientTransport({ baseUrl: url });
  const { user, tokens } = await createClient(SessionService, transport).createSession({ email, password });
  transport.close();
  return { id: user?.id ?? "", token: tokens?.accessToken ?? "", email, password };
}

/** What `ps` calls RSS. Linux alone tells it of other processes by a file. */
async function residentBytesOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
