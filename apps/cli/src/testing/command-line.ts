import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { type NodeProcess, startNode, temporaryFolder } from "@kinora/testing";
import type { Context, Input, Output } from "../context.ts";
import { Interrupted } from "../errors.ts";
import { run } from "../run.ts";
import { type ScriptedKinora, startScriptedKinora } from "./scripted-kinora.ts";

/** What a run of the command line gave. */
export type Result = { code: number; stdout: string; stderr: string };

/** A person at a machine: folders of their own, and a server to talk to. */
export type Person = {
  kinora: ScriptedKinora;
  /** The person's working folder. */
  cwd: string;
  env: Record<string, string>;
  path(name: string): string;
  /** Runs a command in this process. */
  run(args: string[], options?: RunOptions): Promise<Result>;
  /** Runs a command in a process of its own. */
  start(...args: string[]): NodeProcess;
} & AsyncDisposable;

type RunOptions = {
  env?: Record<string, string | undefined>;
  /** What comes on standard input. */
  input?: string;
  /** Pretends that stderr and stdout are terminals of this width. */
  columns?: number;
  signal?: AbortSignal;
};

/** Sets a person up, whose KINORA_SERVER is a scripted server unless a test says otherwise. */
export async function createPerson(): Promise<Person> {
  const folder = await temporaryFolder("kinora-cli-");
  const kinora = await startScriptedKinora();
  const cwd = join(folder.path, "work");
  await mkdir(cwd);
  const env = {
    XDG_CONFIG_HOME: join(folder.path, "config"),
    KINORA_DATA: join(folder.path, "data"),
    KINORA_SERVER: kinora.url,
  };
  return {
    kinora,
    cwd,
    env,
    path: (name) => join(folder.path, name),
    async run(args, { env: more, input = "", columns, signal = new AbortController().signal } = {}) {
      const stdin: Input = new PassThrough();
      (stdin as PassThrough).end(input);
      const stdout: Output = new PassThrough();
      const stderr: Output = new PassThrough();
      for (const stream of columns === undefined ? [] : [stdout, stderr])
        Object.assign(stream, { isTTY: true, columns });
      const said = Promise.all([text(stdout as PassThrough), text(stderr as PassThrough)]);
      const context = { env: { ...env, ...more }, cwd, home: folder.path, stdin, stdout, stderr, signal };
      const code = await run(args, context satisfies Omit<Context, "server" | "json">);
      stdout.end();
      stderr.end();
      const [out, err] = await said;
      return { code, stdout: out, stderr: err };
    },
    start: (...args) => startNode("apps/cli/src/main.ts", { args, env, cwd }),
    async [Symbol.asyncDispose]() {
      await kinora.stop();
      await folder.remove();
    },
  };
}

/** Makes the data folder of a Kinora that runs on this machine: run files and the owner's credential. */
export async function installLocally({ kinora, env }: Person): Promise<void> {
  const data = env.KINORA_DATA ?? "";
  await mkdir(join(data, "run"), { recursive: true });
  await mkdir(join(data, "credentials"), { recursive: true });
  const place = JSON.stringify({ url: kinora.url, pid: process.pid });
  await writeFile(join(data, "run", "user.json"), place);
  await writeFile(join(data, "run", "encoder.json"), place);
  await writeFile(join(data, "credentials", "owner.json"), JSON.stringify(kinora.owner), { mode: 0o600 });
}

/** What Ctrl-C is, for a command that runs in this process. */
export function ctrlC(): { signal: AbortSignal; press(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, press: () => controller.abort(new Interrupted("")) };
}
