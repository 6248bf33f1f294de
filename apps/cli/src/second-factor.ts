import type { MessageInitShape } from "@bufbuild/protobuf";
import { type CheckSchema, Factor } from "@kinora/proto-user";
import type { Context } from "./context.ts";
import { CliError, UsageError } from "./errors.ts";
import { readPassword } from "./password.ts";

/** Gives a proof of one of the factors that the server names. */
export type AskSecondFactor = (needed: readonly Factor[]) => Promise<MessageInitShape<typeof CheckSchema>>;

/** What was given as `--code`: six digits are an app's, anything else is a recovery code. */
export function readCode(code: string): MessageInitShape<typeof CheckSchema> {
  const digits = code.replace(/\s/g, "");
  return /^\d{6}$/.test(digits)
    ? { proof: { case: "totpCode", value: digits } }
    : { proof: { case: "recoveryCode", value: code.trim() } };
}

/** Asks for the second factor on the terminal, unless `--code` has it. */
export function secondFactorOf(context: Pick<Context, "stdin" | "stderr" | "signal">, code?: string): AskSecondFactor {
  let given = code;
  return async (needed) => {
    if (given !== undefined) {
      const check = readCode(given);
      given = undefined; // a code that was refused isn't good a second time
      return check;
    }
    if (code !== undefined) throw new CliError("The code was refused. Nothing was done.");
    if (!context.stdin.isTTY) {
      throw new UsageError(
        "This account has a second factor: give a code of its app, or a recovery code, with --code CODE.",
      );
    }
    if (!needed.includes(Factor.TOTP)) {
      context.stderr.write(
        "This account's second factor is a passkey, which needs a browser; here a recovery code does.\n",
      );
    }
    const prompt = needed.includes(Factor.TOTP)
      ? "Code of your authenticator app, or a recovery code: "
      : "Recovery code: ";
    return readCode(await readPassword(context, prompt, false));
  };
}
