import type { ActionContext } from "../actions.ts";
import { UsageError } from "../errors.ts";
import { readAnswer } from "../password.ts";
import { withRecentLogin } from "../recent-login.ts";
import type { AccountValues } from "./actions.ts";

/** Turns an authenticator app on or off. Without a terminal it takes two commands: one for the secret, one for the app's first code. */
export async function turnTotp(context: ActionContext, [turn]: string[], { code }: AccountValues): Promise<void> {
  const { clients, connection, signal, stderr } = context;
  if (turn === "on") return await startTotp(context);
  if (turn === "confirm" && code !== undefined) return await confirmTotp(context, code);
  if (turn !== "off")
    throw new UsageError("Use: kinora account totp on|off, or kinora account totp confirm --code CODE");
  await withRecentLogin(context, connection, () => clients.factors.removeTotp({}, { signal }));
  stderr.write("The authenticator app is off.\n");
}

async function startTotp(context: ActionContext): Promise<void> {
  const { clients, connection, signal, stdout, stderr, stdin } = context;
  const { uri, secret } = await withRecentLogin(context, connection, () => clients.factors.startTotp({}, { signal }));
  if (context.json) stdout.write(`${JSON.stringify({ secret, uri })}\n`);
  else
    stdout.write(`Add this secret to your authenticator app:\n\n    ${secret}\n\nor as an address:\n\n    ${uri}\n\n`);
  if (stdin.isTTY) await confirmTotp(context, await readAnswer(context, "The code that the app shows now: "));
  else stderr.write("Then turn it on with: kinora account totp confirm --code CODE\n");
}

async function confirmTotp(context: ActionContext, code: string): Promise<void> {
  const { clients, connection, signal, stderr } = context;
  const { recoveryCodes } = await withRecentLogin(context, connection, () =>
    clients.factors.confirmTotp({ code }, { signal }),
  );
  stderr.write("The authenticator app is on: your next login asks for its code.\n");
  showRecoveryCodes(context, recoveryCodes);
}

/** Makes ten new recovery codes. */
export async function newRecoveryCodes(context: ActionContext): Promise<void> {
  const { clients, connection, signal } = context;
  const { recoveryCodes } = await withRecentLogin(context, connection, () =>
    clients.factors.createRecoveryCodes({}, { signal }),
  );
  showRecoveryCodes(context, recoveryCodes);
}

function showRecoveryCodes({ json, stdout, stderr }: ActionContext, recoveryCodes: readonly string[]): void {
  if (recoveryCodes.length === 0) return;
  if (json) {
    stdout.write(`${JSON.stringify({ recoveryCodes })}\n`);
    return;
  }
  stderr.write("Your recovery codes. Each works once in place of the second factor; they aren't shown again:\n\n");
  stdout.write(`${recoveryCodes.join("\n")}\n`);
}
