import { timestampDate } from "@bufbuild/protobuf/wkt";
import { GetQuotaResponseSchema, ListFactorsResponseSchema, UserSchema } from "@kinora/proto-user";
import type { Action, ActionContext } from "../actions.ts";
import { sessionClient } from "../clients.ts";
import { confirmed } from "../confirmed.ts";
import { renderFacts } from "../describe-video.ts";
import { CliError } from "../errors.ts";
import { showEvents } from "../events.ts";
import { formatTime } from "../format.ts";
import { jsonLine } from "../json-line.ts";
import { quotaFacts } from "../quota.ts";
import { withRecentLogin } from "../recent-login.ts";
import { roleName } from "../role.ts";
import { printable } from "../text-width.ts";
import { changeEmail, verifyEmail } from "./email.ts";
import { passkeys } from "./passkeys.ts";
import { changePassword, resetPassword } from "./password.ts";
import { newRecoveryCodes, turnTotp } from "./second-factors.ts";

/** Options of `kinora account`. */
export type AccountValues = { code?: string; yes?: boolean };

/** What people do about their own account. */
export const accountActions: Readonly<Record<string, Action<AccountValues>>> = {
  show: { arguments: "", about: "show your account, its second factors and quota", takes: [0, 0], run: show },
  password: { arguments: "", about: "change your password", takes: [0, 0], run: changePassword },
  reset: { arguments: "EMAIL", about: "set a new password where you forgot yours", takes: [1, 1], run: resetPassword },
  email: { arguments: "EMAIL", about: "change your address", takes: [1, 1], run: changeEmail },
  verify: { arguments: "", about: "confirm your address", takes: [0, 0], run: verifyEmail },
  totp: { arguments: "on|off", about: "turn an authenticator app on or off", takes: [1, 1], run: turnTotp },
  passkeys: {
    arguments: "[rename|remove PASSKEY …]",
    about: "list your passkeys, rename or remove one",
    takes: [0, 3],
    run: passkeys,
  },
  "recovery-codes": { arguments: "", about: "make new recovery codes", takes: [0, 0], run: newRecoveryCodes },
  events: {
    arguments: "",
    about: "show what happened to your account",
    takes: [0, 0],
    run: (context) => showEvents(context, ""),
  },
  export: { arguments: "", about: "write everything about you as JSON", takes: [0, 0], run: exportData },
  delete: { arguments: "", about: "delete your account and your videos", takes: [0, 0], run: deleteAccount },
};

async function own(context: ActionContext) {
  const { server, session } = context.connection;
  const { user } = await sessionClient(server.user, session).getSession({}, { signal: context.signal });
  if (user === undefined) throw new CliError("The server's answer is incomplete: it names no account.");
  return user;
}

async function show(context: ActionContext): Promise<void> {
  const user = await own(context);
  const { signal } = context;
  const factors = await context.clients.factors.listFactors({}, { signal });
  const quota = await context.clients.quotas.getQuota({ userId: user.id }, { signal });
  if (context.json) {
    context.stdout.write(jsonLine(UserSchema, user));
    context.stdout.write(jsonLine(ListFactorsResponseSchema, factors));
    context.stdout.write(jsonLine(GetQuotaResponseSchema, quota));
    return;
  }
  const second = [
    ...(factors.totp ? ["authenticator app"] : []),
    ...factors.passkeys.map(({ name }) => `passkey "${printable(name)}"`),
  ];
  context.stdout.write(
    renderFacts([
      ["E-mail", `${printable(user.email)}${user.emailVerified ? "" : " (not confirmed)"}`],
      ["Name", printable(user.name)],
      ["Role", roleName(user.role)],
      ["Since", user.createTime ? formatTime(timestampDate(user.createTime)) : ""],
      ["Second factors", second.join(", ") || "none"],
      ["Recovery codes", String(factors.recoveryCodes)],
      ...quotaFacts(quota),
    ]),
  );
}

async function exportData(context: ActionContext): Promise<void> {
  const { clients, connection, signal } = context;
  const { json } = await withRecentLogin(context, connection, () => clients.accounts.exportAccount({}, { signal }));
  context.stdout.write(`${json}\n`);
}

async function deleteAccount(context: ActionContext, _args: string[], { yes }: AccountValues): Promise<void> {
  const { clients, connection, signal, stderr } = context;
  const user = await own(context);
  await confirmed(context, `Delete ${printable(user.email)} and all its videos, for ever?`, yes === true);
  await withRecentLogin(context, connection, () => clients.users.deleteUser({ id: user.id }, { signal }));
  await connection.session.forget(signal);
  stderr.write("Your account is deleted; its videos follow.\n");
}
