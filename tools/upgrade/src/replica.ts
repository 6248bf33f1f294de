import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { waitUntilReady } from "@kinora/testing";
import type { Version } from "./version.ts";

export const serviceNames = ["user", "encoder", "encoder-worker"] as const;
export type ServiceName = (typeof serviceNames)[number];

/** A process of one version. */
export type Replica = {
  service: ServiceName;
  version: Version;
  port: number;
  /** What it said, for when something went wrong. */
  output(): string;
  /** Asks it to end, and waits. @throws when it didn't end cleanly by itself */
  stop(): Promise<void>;
};

const endMs = 15_000;

/** Those that run, so that none outlives this process when it is interrupted. */
const running = new Set<ChildProcess>();

/** Ends all replicas at once. */
export function killReplicas(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** Starts a replica of a service and waits until it takes calls. */
export async function startReplica(
  version: Version,
  service: ServiceName,
  port: number,
  env: Record<string, string>,
): Promise<Replica> {
  const node = join(version.root, "node_modules/node/bin/node");
  const child = spawn(node, [join(version.root, `apps/${service}/src/main.ts`)], {
    cwd: version.root,
    env: { ...process.env, VITEST: undefined, NODE_OPTIONS: undefined, LOG_FORMAT: "json", PORT: String(port), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  child.once("close", () => running.delete(child));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-100_000);
    });
  }
  const what = `${service} of ${version.name}`;
  let stopping = false;
  const ended = once(child, "close").then(([code]) => code as number | null);
  const early = ended.then(() => {
    if (!stopping) throw new Error(`${what} ended by itself:\n${said.slice(-4_000)}`);
  });
  early.catch(() => {}); // looked at below while it starts; later the load notices
  await Promise.race([waitUntilReady(`http://127.0.0.1:${port}`, 120_000), early]);
  return {
    service,
    version,
    port,
    output: () => said,
    async stop() {
      stopping = true;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), endMs);
      const code = await ended;
      clearTimeout(timer);
      if (code !== 0) throw new Error(`${what} ended with ${code} instead of 0:\n${said.slice(-4_000)}`);
    },
  };
}
