import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, type NodeProcess, startNode, temporaryFolder, waitUntilReady } from "@kinora/testing";

/** What may be killed: the workers, the encoder, and the encoder's Postgres. */
export type Victim = `worker-${number}` | "encoder" | "postgres";

/** Kinora as separate processes: user, encoder (each with its embedded Postgres) and workers. */
export type Fleet = {
  encoderUrl: string;
  /** An access token of a person, good for some minutes. */
  token(): Promise<string>;
  /** Kills by SIGKILL and starts again what that ended; resolves when it works again. */
  kill(victim: Victim): Promise<void>;
  victims: readonly Victim[];
  /** What every worker has logged, those that were killed included. */
  workerLogs(): { name: string; text: string }[];
} & AsyncDisposable;

/** Starts a fleet in a folder of its own. */
export async function startFleet(workers: number): Promise<Fleet> {
  const folder = await temporaryFolder("kinora-chaos-");
  const dataDir = join(folder.path, "data");
  const [userPort, encoderPort] = [await freePort(), await freePort()];
  const userUrl = `http://127.0.0.1:${userPort}`;
  const encoderUrl = `http://127.0.0.1:${encoderPort}`;
  const common = { KINORA_DATA: dataDir, HOST: "127.0.0.1", LOG_LEVEL: "info" };
  const running = new Map<string, NodeProcess>();
  const buried: { name: string; text: string }[] = [];
  const workerNames = Array.from({ length: workers }, (_, index) => `worker-${index}` as const);

  async function start(name: string): Promise<void> {
    if (name === "user") {
      const env = { ...common, PORT: String(userPort), PUBLIC_URL: userUrl, ENCODER_URL: encoderUrl };
      running.set(name, startNode("apps/user/src/main.ts", { env }));
      await waitUntilReady(userUrl);
    } else if (name === "encoder") {
      const env = { ...common, PORT: String(encoderPort), PUBLIC_URL: encoderUrl, USER_URL: userUrl };
      running.set(name, startNode("apps/encoder/src/main.ts", { env }));
      await waitUntilReady(encoderUrl);
    } else {
      const env = { ...common, ENCODER_URL: encoderUrl, WORKER_SLOTS: "1" };
      running.set(name, startNode("apps/encoder-worker/src/main.ts", { env }));
    }
  }

  const ended = (one: NodeProcess | undefined, ms: number) =>
    Promise.race([one?.exit.then(() => true), new Promise<false>((resolve) => setTimeout(resolve, ms, false))]);

  for (const name of ["user", "encoder", ...workerNames]) await start(name);
  return {
    encoderUrl,
    victims: [...workerNames, ...workerNames, "encoder", "postgres"],
    async token() {
      const env = { KINORA_DATA: dataDir, XDG_CONFIG_HOME: join(folder.path, "config"), KINORA_SERVER: undefined };
      const { stdout, stderr, code } = await startNode("apps/cli/src/main.ts", { args: ["token"], env }).exit;
      if (code !== 0) throw new Error(`No token: ${stderr}`);
      return stdout.trim();
    },
    async kill(victim) {
      if (victim === "postgres") {
        const [pid] = (await readFile(join(dataDir, "encoder/postgres/cluster/data/postmaster.pid"), "utf8")).split(
          "\n",
        );
        process.kill(Number(pid), "SIGKILL");
        // The encoder either starts it again or ends, and is started again.
        if (await ended(running.get("encoder"), 3_000)) await start("encoder");
        await waitUntilReady(encoderUrl);
        return;
      }
      const one = running.get(victim);
      await one?.stop("SIGKILL");
      if (one && victim.startsWith("worker")) buried.push({ name: victim, text: one.output() });
      await start(victim);
    },
    workerLogs: () => [...buried, ...workerNames.map((name) => ({ name, text: running.get(name)?.output() ?? "" }))],
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.values()].map((one) => Promise.race([one.stop("SIGTERM"), ended(one, 10_000)])));
      await folder.remove();
    },
  };
}
