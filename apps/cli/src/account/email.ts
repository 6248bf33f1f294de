import type { ActionContext } from "../actions.ts";
import { UsageError } from "../errors.ts";
import { readAnswer } from "../password.ts";
import { withRecentLogin } from "../recent-login.ts";
import { printable } from "../text-width.ts";

/** Changes the address with a code that goes to the new one. */
export async function changeEmail(context: ActionContext, [email = ""]: string[]): Promise<void> {
  const { clients, connection, signal, stderr } = context;
  needTerminal(context);
  const { changeId } = await withRecentLogin(context, connection, () =>
    clients.accounts.requestEmailChange({ email }, { signal }),
  );
  stderr.write(`A code is on its way to ${printable(email)}.\n`);
  const code = await readAnswer(context, "Code: ");
  const { user } = await clients.accounts.changeEmail({ changeId, code }, { signal });
  stderr.write(`Your address is ${printable(user?.email ?? email)} now.\n`);
}

/** Confirms the present address. */
export async function verifyEmail(context: ActionContext): Promise<void> {
  const { clients, signal, stderr } = context;
  needTerminal(context);
  const { verificationId } = await clients.accounts.requestEmailVerification({}, { signal });
  stderr.write("A code is on its way to your address.\n");
  const code = await readAnswer(context, "Code: ");
  await clients.accounts.verifyEmail({ verificationId, code }, { signal });
  stderr.write("Your address is confirmed.\n");
}

function needTerminal({ stdin }: ActionContext): void {
  if (!stdin.isTTY) throw new UsageError("This needs a terminal: a code comes by e-mail while the command waits.");
}
