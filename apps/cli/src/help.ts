import { commonOptions } from "./arguments.ts";
import type { Command, Options } from "./command.ts";
import { type Entry, registry } from "./registry.ts";

/** How a command is written. */
export function usageOf(entry: Pick<Entry, "name" | "arguments">): string {
  return `kinora ${entry.name}${entry.arguments && ` ${entry.arguments}`}`;
}

/** The overview. */
export function overview(): string {
  return [
    "Kinora: send a video, get an adaptive stream.",
    "",
    "Usage: kinora COMMAND [options]",
    "",
    ...columns(registry.map((entry) => [`${entry.name} ${entry.arguments}`.trim(), entry.summary])),
    "",
    'Every command takes --server URL and --help. "kinora --version" shows the version.',
    "",
  ].join("\n");
}

/** One command's help. */
export function commandHelp(entry: Entry, command: Command): string {
  const { json, ...common } = commonOptions;
  const options: Options = { ...command.options, ...(command.json && { json }), ...common };
  return [
    `${entry.summary[0]?.toUpperCase()}${entry.summary.slice(1)}.`,
    "",
    `Usage: ${usageOf(entry)} [options]`,
    ...(command.details === undefined ? [] : ["", command.details]),
    "",
    ...columns(
      Object.entries(options).map(([name, option]) => [
        `${option.short ? `-${option.short}, ` : ""}--${name}${option.value ? ` ${option.value}` : ""}`,
        option.about,
      ]),
    ),
    "",
  ].join("\n");
}

function columns(rows: [string, string][]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}`);
}
