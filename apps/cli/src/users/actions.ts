import { timestampDate } from "@bufbuild/protobuf/wkt";
import { GetQuotaResponseSchema, InvitationSchema, Role, type User, UserSchema } from "@kinora/proto-user";
import type { Action, ActionContext } from "../actions.ts";
import { confirmed } from "../confirmed.ts";
import { renderFacts } from "../describe-video.ts";
import { CliError, UsageError } from "../errors.ts";
import { showEvents } from "../events.ts";
import { formatTime } from "../format.ts";
import { isIdentifier } from "../identifier.ts";
import { jsonLine } from "../json-line.ts";
import { printTable } from "../print-table.ts";
import { quotaFacts, readLimit } from "../quota.ts";
import { readRole, roleName } from "../role.ts";
import { printable } from "../text-width.ts";

/** Options of `kinora users`. */
export type UserValues = { query?: string; role?: string; yes?: boolean; minutes?: string; storage?: string };

/** What those who manage do about others. */
export const userActions: Readonly<Record<string, Action<UserValues>>> = {
  list: { arguments: "", about: "list people; --query and --role narrow it", takes: [0, 0], run: list },
  invite: { arguments: "EMAIL", about: "invite somebody by e-mail; --role gives a role", takes: [1, 1], run: invite },
  invitations: { arguments: "", about: "list invitations that are open", takes: [0, 0], run: listInvitations },
  uninvite: { arguments: "ID", about: "take an invitation back", takes: [1, 1], run: uninvite },
  role: { arguments: "USER ROLE", about: "give a role: member, admin or owner", takes: [2, 2], run: giveRole },
  disable: {
    arguments: "USER",
    about: "end somebody's sessions and let them log in no more",
    takes: [1, 1],
    run: disable,
  },
  enable: { arguments: "USER", about: "let them log in again", takes: [1, 1], run: enable },
  delete: { arguments: "USER", about: "delete an account and its videos", takes: [1, 1], run: remove },
  quota: {
    arguments: "USER",
    about: "show a quota, a service account's too; --minutes and --storage set its limits",
    takes: [1, 1],
    run: quota,
  },
  events: { arguments: "[USER]", about: "show what happened, to one or to all", takes: [0, 1], run: events },
};

async function list(context: ActionContext, _args: string[], { query = "", role }: UserValues): Promise<void> {
  const { clients, signal, stdout } = context;
  const filter = { query, role: role === undefined ? Role.UNSPECIFIED : readRole(role) };
  const users: User[] = [];
  let pageToken = "";
  do {
    const page = await clients.users.listUsers({ ...filter, pageSize: 1000, pageToken }, { signal });
    users.push(...page.users);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  if (context.json) {
    for (const user of users) stdout.write(jsonLine(UserSchema, user));
    return;
  }
  const rows = users.map((user) => [
    user.id,
    printable(user.email),
    printable(user.name),
    user.disableTime === undefined ? roleName(user.role) : `${roleName(user.role)}, disabled`,
    user.createTime ? formatTime(timestampDate(user.createTime)) : "",
  ]);
  const columns = [
    { title: "ID" },
    { title: "E-MAIL" },
    { title: "NAME", flexible: { minimum: 10 } },
    { title: "ROLE" },
    { title: "SINCE" },
  ];
  printTable(context, columns, rows, "Nobody like that is here.");
}

async function invite(context: ActionContext, [email = ""]: string[], { role }: UserValues): Promise<void> {
  const { clients, signal, stdout, stderr } = context;
  const request = { email, role: role === undefined ? Role.UNSPECIFIED : readRole(role) };
  const { invitation } = await clients.invitations.createInvitation(request, { signal });
  if (context.json && invitation) stdout.write(jsonLine(InvitationSchema, invitation));
  stderr.write(`An invitation is on its way to ${printable(email)}; it works for seven days.\n`);
}

async function listInvitations(context: ActionContext): Promise<void> {
  const { invitations } = await context.clients.invitations.listInvitations({}, { signal: context.signal });
  if (context.json) {
    for (const invitation of invitations) context.stdout.write(jsonLine(InvitationSchema, invitation));
    return;
  }
  const rows = invitations.map(({ id, email, role, expireTime }) => [
    id,
    printable(email),
    roleName(role),
    expireTime ? formatTime(timestampDate(expireTime)) : "",
  ]);
  printTable(
    context,
    [{ title: "ID" }, { title: "E-MAIL" }, { title: "ROLE" }, { title: "UNTIL" }],
    rows,
    "No invitation is open.",
  );
}

async function uninvite({ clients, signal, stderr }: ActionContext, [id = ""]: string[]): Promise<void> {
  await clients.invitations.deleteInvitation({ id }, { signal });
  stderr.write("The invitation no longer works.\n");
}

async function giveRole(context: ActionContext, [who = "", name = ""]: string[]): Promise<void> {
  const role = readRole(name);
  const { id } = await find(context, who);
  const request = { id, user: { role }, updateMask: { paths: ["role"] } };
  const { user } = await context.clients.users.updateUser(request, { signal: context.signal });
  tell(context, user, `is ${roleName(role)} now`);
}

async function disable(context: ActionContext, [who = ""]: string[]): Promise<void> {
  const { id } = await find(context, who);
  const { user } = await context.clients.users.disableUser({ id }, { signal: context.signal });
  tell(context, user, "can't log in any more");
}

async function enable(context: ActionContext, [who = ""]: string[]): Promise<void> {
  const { id } = await find(context, who);
  const { user } = await context.clients.users.enableUser({ id }, { signal: context.signal });
  tell(context, user, "can log in again");
}

async function remove(context: ActionContext, [who = ""]: string[], { yes }: UserValues): Promise<void> {
  const user = await find(context, who);
  await confirmed(context, `Delete ${printable(user.email)} and all their videos, for ever?`, yes === true);
  await context.clients.users.deleteUser({ id: user.id }, { signal: context.signal });
  context.stderr.write(`${printable(user.email)} is deleted; the videos follow.\n`);
}

async function quota(context: ActionContext, [who = ""]: string[], { minutes, storage }: UserValues): Promise<void> {
  const { clients, signal, stdout } = context;
  const userId = isIdentifier(who) ? who : (await find(context, who)).id;
  const paths = [
    ...(minutes === undefined ? [] : ["limit_seconds"]),
    ...(storage === undefined ? [] : ["limit_storage_bytes"]),
  ];
  const limit = minutes === undefined ? undefined : readLimit("minutes", minutes);
  const gigabytes = storage === undefined ? undefined : readLimit("storage", storage);
  const limits = {
    ...(limit !== undefined && { limitSeconds: limit * 60 }),
    ...(gigabytes !== undefined && { limitStorageBytes: BigInt(Math.round(gigabytes * 1e9)) }),
  };
  const quota =
    paths.length === 0
      ? await clients.quotas.getQuota({ userId }, { signal })
      : (await clients.quotas.setQuotaLimits({ userId, ...limits, updateMask: { paths } }, { signal })).quota;
  if (quota === undefined) throw new CliError("The server's answer is incomplete: it names no quota.");
  stdout.write(context.json ? jsonLine(GetQuotaResponseSchema, quota) : renderFacts(quotaFacts(quota)));
}

async function events(context: ActionContext, [who]: string[]): Promise<void> {
  await showEvents(context, who === undefined ? "" : (await find(context, who)).id);
}

/** The account of an address or an identifier. */
async function find({ clients, signal }: ActionContext, who: string): Promise<User> {
  if (isIdentifier(who)) {
    const { user } = await clients.users.getUser({ id: who }, { signal });
    if (user !== undefined) return user;
  }
  if (!who.includes("@")) throw new UsageError(`"${who}" is neither an e-mail address nor an ID.`);
  const { users } = await clients.users.listUsers({ query: who, pageSize: 1000 }, { signal });
  const found = users.find(({ email }) => email.toLowerCase() === who.toLowerCase());
  if (found === undefined) throw new CliError(`Nobody has the address ${who}.`);
  return found;
}

function tell({ json, stdout, stderr }: ActionContext, user: User | undefined, what: string): void {
  if (user === undefined) throw new CliError("The server's answer is incomplete: it names no account.");
  if (json) stdout.write(jsonLine(UserSchema, user));
  stderr.write(`${printable(user.email)} ${what}.\n`);
}
