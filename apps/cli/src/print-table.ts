import type { Context } from "./context.ts";
import { type Column, renderTable } from "./table.ts";
import { lookOf } from "./terminal.ts";

/** Prints rows as wide as the terminal is, with a head that stands out; or what `none` says where there are none. */
export function printTable(
  { stdout, stderr, env }: Pick<Context, "stdout" | "stderr" | "env">,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  none: string,
): void {
  if (rows.length === 0) {
    stderr.write(`${none}\n`);
    return;
  }
  const look = lookOf(stdout, env);
  const [head = "", ...lines] = renderTable(columns, rows, look.live ? look.columns() : Number.POSITIVE_INFINITY);
  stdout.write(`${[look.paint("bold", head), ...lines].join("\n")}\n`);
}
