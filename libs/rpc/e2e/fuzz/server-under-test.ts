import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expectService } from "../../src/testing/hostile-client.ts";
import type { Look } from "./server-child.ts";

/** A server of ours in a process of its own. */
export type ServerUnderTest = {
  port: number;
  /** How the process ended, if it has. */
  ended(): string | undefined;
  /** Throws unless it answers. */
  expectService(): Promise<void>;
  /** What it holds once everybody has left it, or after 20 s in vain. */
  settled(): Promise<Look>;
  stop(): Promise<void>;
};

export async function startServerUnderTest(): Promise<ServerUnderTest> {
  const child: ChildProcess = fork(new URL("./server-child.ts", import.meta.url), {
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "inherit", "pipe", "ipc"],
  });
  let ended: string | undefined;
  let complaints = "";
  child.stderr?.on("data", (chunk) => {
    complaints = (complaints + String(chunk)).slice(-10_000);
  });
  child.once("exit", (code, signal) => {
    ended = `the server's process ended (${signal ?? code}): ${complaints}`;
  });
  const exit = once(child, "exit");
  const [started] = await Promise.race([once(child, "message"), exit]);
  if (typeof started !== "object" || started === null || !("port" in started)) {
    throw new Error(`the server did not start: ${complaints}`);
  }
  const port = Number(started.port);

  async function look(): Promise<Look> {
    const answer = once(child, "message");
    child.send("look");
    const [seen] = await Promise.race([answer, exit.then(() => Promise.reject(new Error(ended)))]);
    return seen;
  }

  return {
    port,
    ended: () => ended,
    expectService: () => expectService(`http://127.0.0.1:${port}`),
    async settled() {
      const unexpected: string[] = [];
      for (const end = performance.now() + 20_000; ; await sleep(200)) {
        const seen = await look();
        unexpected.push(...seen.unexpected);
        if ((seen.streams === 0 && seen.sockets === 0) || performance.now() > end) {
          return { ...seen, unexpected };
        }
      }
    },
    async stop() {
      if (ended === undefined) {
        child.disconnect();
        await exit;
      }
    },
  };
}
