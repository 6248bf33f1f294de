import { commonOptions, parseCommandArguments, splitCommandLine } from "./arguments.ts";
import type { Context } from "./context.ts";
import { CliError, exitCode, Interrupted, UsageError } from "./errors.ts";
import { registry } from "./registry.ts";

/** What a run works with; `--server` and `--json` come from its arguments. */
export type RunContext = Omit<Context, "server" | "json">;

/** Runs one command line. Returns the exit code; what went wrong is told on stderr in one sentence. */
export async function run(args: readonly string[], context: RunContext): Promise<number> {
  try {
    await dispatch(args, context);
    return exitCode.ok;
  } catch (error) {
    const { message, code } = await explain(error, context.signal);
    if (message !== "") context.stderr.write(`kinora: ${message}\n`);
    return code;
  }
}

async function dispatch(args: readonly string[], context: RunContext): Promise<void> {
  const { name, rest } = splitCommandLine(args);
  if (name === undefined) {
    if (rest.includes("--version")) {
      context.stdout.write(`kinora ${await version()}\n`);
      return;
    }
    const { overview } = await import("./help.ts");
    const asked = rest.length === 0 || rest.includes("--help") || rest.includes("-h");
    if (!asked) throw new UsageError(`"${rest.join(" ")}" names no command. See "kinora --help".`);
    context.stdout.write(overview());
    return;
  }
  if (name === "help") {
    return dispatch(rest.length > 0 ? [...rest, "--help"] : ["--help"], context);
  }
  const entry = registry.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    throw new UsageError(`There is no command "${name}". See "kinora --help".`);
  }
  const command = await entry.load();
  const { usageOf } = await import("./help.ts");
  const { values, positionals } = parseCommandArguments(
    rest,
    { ...command.options, ...commonOptions },
    command.positionals,
    usageOf(entry),
  );
  if (values.help === true) {
    const { commandHelp } = await import("./help.ts");
    context.stdout.write(commandHelp(entry, command));
    return;
  }
  if (values.json === true && !command.json) {
    throw new UsageError(`"kinora ${name}" has no --json.`);
  }
  const { server, json, help: _, ...own } = values;
  await command.run(
    { ...context, server: typeof server === "string" ? server : undefined, json: json === true },
    { positionals, values: own },
  );
}

async function explain(error: unknown, signal: AbortSignal): Promise<{ message: string; code: number }> {
  if (error instanceof UsageError) {
    return { message: error.message, code: exitCode.usage };
  }
  if (error instanceof Interrupted) {
    return { message: error.message, code: exitCode.interrupted };
  }
  if (signal.aborted) {
    return { message: "", code: exitCode.interrupted };
  }
  if (error instanceof CliError) {
    return { message: error.message, code: exitCode.failed };
  }
  const { describeError } = await import("./describe-error.ts");
  return { message: describeError(error), code: exitCode.failed };
}

async function version(): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const manifest: unknown = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  return (manifest as { version: string }).version;
}
