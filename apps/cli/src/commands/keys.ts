import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Key, KeySchema } from "@kinora/proto-user";
import { type KeyClient, keyClient } from "../clients.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import type { Context } from "../context.ts";
import { CliError, UsageError } from "../errors.ts";
import { formatTime } from "../format.ts";
import { isIdentifier } from "../identifier.ts";
import { jsonLine } from "../json-line.ts";
import { printTable } from "../print-table.ts";
import { findServer } from "../server-address.ts";
import { findServiceAccount } from "../service-account.ts";
import { printable } from "../text-width.ts";

type Values = { scopes?: string; days?: string; account?: string };
type Act = (context: Context, keys: KeyClient, argument: string, values: Values) => Promise<void>;

/** Where a program's key is looked for. */
const keyVariable = "KINORA_API_KEY";
const usualScopes = "videos:read,videos:write";
const mostDays = 3650;

export const command = defineCommand({
  options: {
    scopes: {
      type: "string",
      value: "LIST",
      about: `of create: what it may do; ${usualScopes}, or all of its account, unless given`,
    },
    days: { type: "string", value: "N", about: "of create: how long it is good for; 365 unless given, 0 for ever" },
    account: { type: "string", value: "ACCOUNT", about: "of a service account (name or ID), for administrators" },
  },
  details: [
    "kinora keys                your API keys",
    "kinora keys create NAME    make one; prints it, for the only time",
    "kinora keys delete KEY     end one: its name, its ID, or what it begins with",
    `kinora keys exchange       print an access token for the key in ${keyVariable}`,
  ].join("\n"),
  positionals: [0, 2],
  json: true,
  async run(context, { positionals: [name = "list", argument], values }) {
    if (name === "exchange") return await exchange(context);
    const act = actions[name];
    if (act === undefined) throw new UsageError(`kinora keys ${name}: see "kinora keys --help".`);
    if (act !== list && argument === undefined) throw new UsageError(`kinora keys ${name}: an argument is missing.`);
    const { server, session } = await connect(context);
    await act(context, keyClient(server.user, session), argument ?? "", values);
  },
});

const list: Act = async (context, keys, _argument, { account }) => {
  const holder = await holderOf(context, keys, account);
  const { keys: found } = await keys.listKeys({ serviceAccountId: holder?.id ?? "" }, { signal: context.signal });
  if (context.json) {
    for (const key of found) context.stdout.write(jsonLine(KeySchema, key));
    return;
  }
  const columns = [
    { title: "ID" },
    { title: "NAME", flexible: { minimum: 12 } },
    { title: "KEY" },
    { title: "ENDS" },
    { title: "LAST USED" },
    { title: "SCOPES" },
  ];
  printTable(context, columns, found.map(rowOf), 'There are no API keys. Make one with "kinora keys create NAME".');
};

/** The service account whose keys are meant; undefined for the caller's own. */
async function holderOf(context: Context, keys: KeyClient, account: string | undefined) {
  return account === undefined ? undefined : await findServiceAccount(keys, account, context.signal);
}

function rowOf({ id, name, prefix, expireTime, lastUseTime, scopes }: Key): string[] {
  const time = (at: typeof expireTime) => (at === undefined ? "never" : formatTime(timestampDate(at)));
  return [
    id,
    printable(name),
    prefix === "" ? "set by whoever runs Kinora" : `${prefix}_…`,
    time(expireTime),
    time(lastUseTime),
    scopes.join(","),
  ];
}

const actions: Readonly<Record<string, Act>> = {
  list,

  async create(context, keys, name, { scopes, days = "365", account }) {
    const holder = await holderOf(context, keys, account);
    const list = scopes ?? holder?.scopes.join(",") ?? usualScopes;
    const request = { name, scopes: list.split(",").map((scope) => scope.trim()), days: parseDays(days) };
    const { key, secret } = await keys.createKey(
      { ...request, serviceAccountId: holder?.id ?? "" },
      { signal: context.signal },
    );
    if (context.json) {
      context.stdout.write(`${JSON.stringify({ id: key?.id, name, scopes: request.scopes, key: secret })}\n`);
      return;
    }
    context.stderr.write(`Made ${key?.id}. Keep the key secret; it isn't shown again:\n`);
    context.stdout.write(`${secret}\n`);
  },

  async delete(context, keys, which, { account }) {
    const id = isIdentifier(which) ? which : await findKey(context, keys, which, account);
    await keys.deleteKey({ id }, { signal: context.signal });
    if (context.json) context.stdout.write(`${JSON.stringify({ id })}\n`);
    else context.stderr.write("The key has ended.\n");
  },
};

/** The identifier of the key of this name or prefix. */
async function findKey(context: Context, keys: KeyClient, which: string, account?: string): Promise<string> {
  const holder = await holderOf(context, keys, account);
  const { keys: all } = await keys.listKeys({ serviceAccountId: holder?.id ?? "" }, { signal: context.signal });
  const [found, another] = all.filter(({ name, prefix }) => name === which || (prefix !== "" && prefix === which));
  const whose = holder === undefined ? "You have" : `${printable(holder.name)} has`;
  if (found === undefined) throw new CliError(`${whose} no key ${printable(which)}: see "kinora keys".`);
  if (another !== undefined) {
    throw new CliError(`${whose} several keys ${printable(which)}: say which by its ID, which "kinora keys" shows.`);
  }
  return found.id;
}

/** For programs on a machine where nobody is logged in. */
async function exchange(context: Context): Promise<void> {
  const key = context.env[keyVariable];
  if (key === undefined || key === "") {
    throw new CliError(`There is no key: set ${keyVariable} to one that "kinora keys create" has printed.`);
  }
  const { user } = await findServer(context);
  const { accessToken } = await keyClient(user).exchangeKey({ key }, { signal: context.signal });
  context.stdout.write(context.json ? `${JSON.stringify({ accessToken })}\n` : `${accessToken}\n`);
}

function parseDays(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(days <= mostDays)) throw new UsageError(`--days ${text}: expected a whole number from 0 to ${mostDays}.`);
  return days;
}
