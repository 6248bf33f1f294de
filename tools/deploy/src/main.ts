import { resolve } from "node:path";
import { readArguments } from "./cli/arguments.ts";
import { help } from "./cli/help.ts";
import type { Context, ExitCode } from "./commands/context.ts";
import { readConfig } from "./config.ts";
import { DeployError } from "./deploy-error.ts";
import { openRecordStore } from "./records/record-store.ts";
import { findWorkspace } from "./workspace/services.ts";

/** Each is loaded when it is asked for: Nx, TypeScript and esbuild take their time. */
const commands: Record<string, () => Promise<(context: Context) => Promise<ExitCode>>> = {
  plan: async () => (await import("./commands/plan.ts")).plan,
  bundle: async () => (await import("./commands/bundle.ts")).bundleService,
  image: async () => (await import("./commands/image.ts")).image,
  "pin-base": async () => (await import("./commands/pin-base.ts")).pinBase,
  "can-i-deploy": async () => (await import("./commands/can-i-deploy.ts")).canIDeploy,
  record: async () => (await import("./commands/record.ts")).record,
  rollback: async () => (await import("./commands/rollback.ts")).rollback,
  check: async () => (await import("./commands/check.ts")).check,
  history: async () => (await import("./commands/history.ts")).history,
};

const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => ending.abort(new DeployError("Ended.")));

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const message = error instanceof DeployError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${message}\n`);
  process.exitCode = 2;
}
// Nx leaves things open that would keep the process.
process.exit();

async function run(argv: string[]): Promise<number> {
  const given = readArguments(argv);
  if (given.command === "help") {
    process.stdout.write(help);
    return 0;
  }
  const load = Object.hasOwn(commands, given.command) ? commands[given.command] : undefined;
  if (load === undefined) throw new DeployError(`There is no command "${given.command}".\n\n${help}`);
  const workspace = findWorkspace(process.cwd());
  // Nx looks at the current folder, and its daemon outlives a command.
  process.chdir(workspace);
  process.env.NX_WORKSPACE_ROOT_PATH ??= workspace;
  process.env.NX_DAEMON ??= "false";
  // A process for each plugin would take longer than what the plugins do.
  process.env.NX_ISOLATE_PLUGINS ??= "false";
  const config = readConfig(workspace);
  const { env } = given.values;
  if (config.environments.length > 0 && !config.environments.includes(env)) {
    throw new DeployError(`There is no environment "${env}". deploy.json has ${config.environments.join(", ")}.`);
  }
  const records = given.values.records ?? process.env.DEPLOY_RECORDS ?? config.records;
  const run = await load();
  return run({
    workspace,
    config,
    records: openRecordStore(resolve(workspace, records)),
    arguments: given,
    print: (line) => process.stdout.write(`${line}\n`),
    report: (line) => process.stderr.write(`${line}\n`),
    signal: ending.signal,
  });
}
