import type { Context } from "./context.ts";
import { CliError, UsageError } from "./errors.ts";
import { readAnswer } from "./password.ts";

/** Asks before something is done that nothing undoes; without a terminal it needs `--yes`. */
export async function confirmed(
  context: Pick<Context, "stdin" | "stderr" | "signal">,
  question: string,
  yes: boolean,
): Promise<void> {
  if (yes) return;
  if (!context.stdin.isTTY) throw new UsageError("Without a terminal, say --yes.");
  if (!/^y(es)?$/i.test(await readAnswer(context, `${question} [y/N] `))) throw new CliError("Nothing was done.");
}
