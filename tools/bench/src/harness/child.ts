import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What every child answers beside its own questions. */
export type Usage = { cpuMicros: number; rssBytes: number };

/** A process that answers questions over its IPC channel. It ends when this process does, however that happens. */
export type Child = {
  pid: number;
  /** Rejects with the child's own error, or when it ends before it has answered. */
  ask<Answer>(question: string, parameters?: unknown): Promise<Answer>;
  usage(): Promise<Usage>;
  /** Ends it: politely, then by force. Settles when it is gone. */
  stop(): Promise<void>;
  /** Sends a signal, as an orchestrator would; settles when it is gone. */
  terminate(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** How to start a child: its module (a URL), what it is started with, the core to stay on. */
export type ChildOptions = {
  module: string;
  parameters: unknown;
  core?: number | undefined;
  execArgv?: readonly string[];
};

type Reply = { id: number; value?: unknown; error?: string };

/** Milliseconds that a child gets to end by itself. */
const patienceMs = 6_000;

/** Starts a Node process whose module reads `childParameters` and calls `answerParent`. Resolves once that is ready for questions. */
export async function startChild({ module, parameters, core, execArgv = [] }: ChildOptions): Promise<Child> {
  const command = [process.execPath, ...execArgv, fileURLToPath(module)];
  const [program = process.execPath, ...args] =
    core === undefined ? command : ["taskset", "-c", String(core), ...command];
  // Standard output is where a server logs; nobody reads that here.
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit", "ipc"], serialization: "advanced" });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let next = 0;
  let failure: Error | undefined;

  const gone = new Promise<void>((resolve) => {
    const end = (reason: string) => {
      failure ??= new Error(`${module} ended (${reason})`);
      for (const { reject } of waiting.values()) {
        reject(failure);
      }
      waiting.clear();
      resolve();
    };
    child.once("error", (error) => end(error.message));
    child.once("exit", (code, signal) => end(signal ?? `exit code ${code}`));
  });
  child.on("message", ({ id, value, error }: Reply) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) {
      asked?.resolve(value);
    } else {
      asked?.reject(new Error(error));
    }
  });

  function ask<Answer>(question: string, asked?: unknown): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    if (failure !== undefined) {
      reject(failure);
      return promise;
    }
    const id = next++;
    // Both ends are ours: the answer is what the module of this child says it is.
    waiting.set(id, { resolve: (value) => resolve(value as Answer), reject });
    child.send({ id, question, parameters: asked });
    return promise;
  }

  async function terminate(): Promise<void> {
    child.kill("SIGTERM");
    const force = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    await gone;
    clearTimeout(force);
  }

  async function stop(): Promise<void> {
    if (child.connected) {
      child.disconnect();
    }
    const force = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    await gone;
    clearTimeout(force);
  }

  const { pid = 0 } = child;
  const answers: Child = { pid, ask, usage: () => ask<Usage>("usage"), stop, terminate, [Symbol.asyncDispose]: stop };
  try {
    await Promise.race([once(child, "spawn"), gone]);
    // Not in the command line: an argument has at most 128 KiB on Linux, and a request of 100 kB has more.
    if (failure === undefined) child.send({ parameters });
    await ask("ready");
  } catch (error) {
    await stop();
    throw error;
  }
  return answers;
}

/** The child's side: what it was started with. To be asked for once, before anything is awaited. */
export async function childParameters<Parameters>(): Promise<Parameters> {
  const [{ parameters }] = (await once(process, "message")) as [{ parameters: Parameters }];
  return parameters;
}

/** The child's side: answers by name until the parent is gone, then closes. */
export function answerParent(
  answers: Record<string, (parameters: never) => unknown>,
  close: () => Promise<void> | void = () => {},
): void {
  const usage = (): Usage => {
    const { user, system } = process.cpuUsage();
    return { cpuMicros: user + system, rssBytes: process.memoryUsage.rss() };
  };
  const all: Record<string, (parameters: never) => unknown> = { ready: () => true, usage, ...answers };
  type Question = { id: number; question?: string; parameters: never };
  process.on("message", async ({ id, question, parameters }: Question) => {
    // What it was started with, which not every child needs.
    if (question === undefined) return;
    try {
      const answer = all[question];
      if (answer === undefined) {
        throw new Error(`nothing answers "${question}"`);
      }
      process.send?.({ id, value: await answer(parameters) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  const end = async () => {
    await close();
    process.exit(0);
  };
  // The parent is gone, or wants this process gone.
  process.once("disconnect", end);
  process.once("SIGTERM", end);
  // Ctrl-C reaches the whole group; the parent says when to end.
  process.on("SIGINT", () => {});
}
