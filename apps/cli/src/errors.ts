/** How the program ends. */
export const exitCode = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Something that a person has to know: one sentence, no stack. */
export class CliError extends Error {
  override readonly name: string = "CliError";
}

/** The command line is wrong. */
export class UsageError extends CliError {
  override readonly name = "UsageError";
}

/** Somebody pressed Ctrl-C, or the process was asked to end; the message, if any, says what became of the work. */
export class Interrupted extends CliError {
  override readonly name = "Interrupted";
}
