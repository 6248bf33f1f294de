import { parseArgs } from "node:util";
import type { Options } from "./command.ts";
import { UsageError } from "./errors.ts";

/** Options that every command takes. */
export const commonOptions = {
  server: {
    type: "string",
    value: "URL",
    about: "the Kinora to talk to (or KINORA_SERVER); the one of this machine unless given",
  },
  json: { type: "boolean", about: "write JSON for programs, one object a line" },
  help: { type: "boolean", short: "h", about: "show this help" },
} as const satisfies Options;

/** The command line, parted. `name` is undefined where no command is given. */
export type CommandLine = { name: string | undefined; rest: string[] };

/** Finds the command's name: the first word that is neither an option nor the value of `--server`. */
export function splitCommandLine(args: readonly string[]): CommandLine {
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? "";
    if (word === "--server") {
      index++;
    } else if (!word.startsWith("-")) {
      return { name: word, rest: [...args.slice(0, index), ...args.slice(index + 1)] };
    }
  }
  return { name: undefined, rest: [...args] };
}

/** Reads options and positional arguments; throws a UsageError in words. */
export function parseCommandArguments(
  args: readonly string[],
  options: Options,
  [min, max]: readonly [number, number],
  usage: string,
): { values: Record<string, string | boolean | undefined>; positionals: string[] } {
  const config = Object.fromEntries(
    Object.entries(options).map(([name, { type, short }]) => [name, { type, ...(short && { short }) }]),
  );
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...args], options: config, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(firstSentence(error));
  }
  const { positionals } = parsed;
  if (!("help" in parsed.values)) {
    if (positionals.length < min) throw new UsageError(`Something is missing: ${usage}`);
    if (positionals.length > max) throw new UsageError(`"${positionals[max]}" is one word too many: ${usage}`);
  }
  return { values: parsed.values as Record<string, string | boolean | undefined>, positionals };
}

/** Node adds a hint for programmers after the first sentence. */
function firstSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^(.*?)(\. .*)?$/s, "$1.").replace(/\.\.$/, ".");
}
