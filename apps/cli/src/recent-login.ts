import { Code, ConnectError } from "@connectrpc/connect";
import type { Connection } from "./connection.ts";
import type { Context } from "./context.ts";
import { CliError } from "./errors.ts";
import { readPassword } from "./password.ts";
import { secondFactorOf } from "./second-factor.ts";
import { printable } from "./text-width.ts";

/** Calls what needs a recent login, and where the server says that it isn't recent, logs in again and calls once more. */
export async function withRecentLogin<T>(
  context: Context,
  { session }: Pick<Connection, "session">,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!asksForLogin(error)) throw error;
  }
  const { stdin, stderr, signal } = context;
  const holder = await session.holder();
  const second = secondFactorOf(context);
  const again = holder?.automatic ? await session.loginAsOwner(signal, second) : undefined;
  if (again === undefined) {
    if (!stdin.isTTY || holder === undefined) {
      throw new CliError('This needs a login of the last ten minutes: use "kinora login" and do it again.');
    }
    stderr.write(`This needs a fresh login of ${printable(holder.email)}.\n`);
    const password = await readPassword(context, "Password: ", false);
    await session.login({ email: holder.email, password }, second, signal);
  }
  return await call();
}

function asksForLogin(error: unknown): boolean {
  const { code, rawMessage } = ConnectError.from(error);
  return code === Code.FailedPrecondition && /^log in again/.test(rawMessage);
}
