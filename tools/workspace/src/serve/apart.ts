import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A program that runs outside this process's tree. */
export type Apart = {
  pid: number;
  /** Settles when the program is gone. */
  ended: Promise<void>;
  /** Asks the program, and nothing below it, to end. */
  stop(): void;
};

/**
 * Starts Node with these arguments so that it isn't a descendant of this process; its output goes where ours goes.
 *
 * Why: when a task is to end, Nx signals every process below it at once, leaves first. That would cut off a service's database
 * connections and encodes before the service hears of it. Only the service itself knows in which order its parts end.
 */
export async function startApart(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Apart> {
  const launcher = spawn(process.execPath, [fileURLToPath(new URL("./launch.ts", import.meta.url)), ...args], {
    env,
    stdio: ["ignore", "inherit", "inherit", "pipe", "ipc"],
  });
  const ended = lifelineCut(launcher);
  const [message] = await Promise.race([
    once(launcher, "message"),
    once(launcher, "exit").then(() => {
      throw new Error("The launcher ended before it had started the program.");
    }),
  ]);
  const pid = Number(message);
  return {
    pid,
    ended,
    stop() {
      try {
        process.kill(pid, "SIGTERM");
      } catch {
        // It is gone already: `ended` says so.
      }
    },
  };
}

/** Descriptor 3 is a pipe that only the program holds: it reads as ended when the program is gone, however that happened. */
async function lifelineCut(launcher: ChildProcess): Promise<void> {
  const lifeline = launcher.stdio[3];
  if (!lifeline || !("resume" in lifeline)) throw new Error("The launcher has no descriptor 3.");
  lifeline.resume();
  await once(lifeline, "close");
}
