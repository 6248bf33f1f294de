import type { ActionContext } from "../actions.ts";
import { accountClient } from "../clients.ts";
import { CliError, UsageError } from "../errors.ts";
import { readAnswer, readSecrets } from "../password.ts";
import { printable } from "../text-width.ts";
import type { AccountValues } from "./actions.ts";

/** Changes the password; without a terminal, the current and the new one are the first two lines of standard input. */
export async function changePassword(context: ActionContext): Promise<void> {
  const { clients, signal, stderr } = context;
  const [currentPassword = "", newPassword = ""] = await readSecrets(context, ["Current password: ", "New password: "]);
  await repeat(context, newPassword);
  await clients.accounts.changePassword({ currentPassword, newPassword }, { signal });
  stderr.write("Your password is changed, and your other sessions have ended.\n");
}

/** Sets a new password with a code that comes by e-mail. */
export async function resetPassword(
  context: ActionContext,
  [email = ""]: string[],
  { code }: AccountValues,
): Promise<void> {
  const { connection, signal, stderr, stdin } = context;
  if (!stdin.isTTY) throw new UsageError("A reset needs a terminal: the code comes by e-mail while the command waits.");
  const accounts = accountClient(connection.server.user);
  const { resetId } = await accounts.requestPasswordReset({ email }, { signal });
  stderr.write(`If ${printable(email)} has an account, a code is on its way there.\n`);
  const shown = code ?? (await readAnswer(context, "Code: "));
  const [password = ""] = await readSecrets(context, ["New password: "]);
  await repeat(context, password);
  await accounts.resetPassword({ resetId, code: shown, password }, { signal });
  stderr.write('Your password is changed, and all sessions have ended. Log in with "kinora login".\n');
}

async function repeat(context: ActionContext, password: string): Promise<void> {
  if (!context.stdin.isTTY) return;
  const [again] = await readSecrets(context, ["Once more: "]);
  if (again !== password) throw new CliError("The two passwords differ. Nothing was done.");
}
