import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type ServiceAccount, ServiceAccountSchema } from "@kinora/proto-user";
import { type Action, type ActionContext, actionHelp, findAction } from "../actions.ts";
import { defineCommand } from "../command.ts";
import { confirmed } from "../confirmed.ts";
import { connect } from "../connection.ts";
import { CliError } from "../errors.ts";
import { formatTime } from "../format.ts";
import { jsonLine } from "../json-line.ts";
import { printTable } from "../print-table.ts";
import { findServiceAccount, kindName, readKind } from "../service-account.ts";
import { userClients } from "../user-clients.ts";

type Values = { kind?: string; scopes?: string; yes?: boolean };

/** What administrators do about accounts without a person. */
const actions: Readonly<Record<string, Action<Values>>> = {
  list: { arguments: "", about: "list them", takes: [0, 0], run: list },
  create: { arguments: "NAME", about: "make one; --kind says what for", takes: [1, 1], run: create },
  disable: { arguments: "ACCOUNT", about: "let its keys be worth nothing", takes: [1, 1], run: disable },
  enable: { arguments: "ACCOUNT", about: "let its keys work again", takes: [1, 1], run: enable },
  delete: { arguments: "ACCOUNT", about: "delete it with its keys and videos", takes: [1, 1], run: remove },
};

export const command = defineCommand({
  options: {
    kind: { type: "string", value: "KIND", about: "program (has videos; unless given), service or worker" },
    scopes: { type: "string", value: "LIST", about: "of create: what its keys may do; all of its kind unless given" },
    yes: { type: "boolean", short: "y", about: "delete without asking" },
  },
  details: [
    "For administrators and owners. ACCOUNT is a name or an ID. Its keys are made, listed and ended with",
    '"kinora keys" and --account.',
    "",
    actionHelp("service-accounts", actions),
  ].join("\n"),
  positionals: [0, 2],
  json: true,
  async run(context, { positionals, values }) {
    const { action, args } = findAction("service-accounts", actions, positionals);
    const connection = await connect(context);
    const clients = userClients(connection.server.user, connection.session);
    await action.run({ ...context, connection, clients }, args, values);
  },
});

async function list(context: ActionContext): Promise<void> {
  const { serviceAccounts } = await context.clients.keys.listServiceAccounts({}, { signal: context.signal });
  if (context.json) {
    for (const account of serviceAccounts) context.stdout.write(jsonLine(ServiceAccountSchema, account));
    return;
  }
  const rows = serviceAccounts.map(({ id, name, kind, scopes, createTime, disableTime }) => [
    id,
    name,
    disableTime === undefined ? kindName(kind) : `${kindName(kind)}, disabled`,
    createTime ? formatTime(timestampDate(createTime)) : "",
    scopes.join(","),
  ]);
  const columns = [
    { title: "ID" },
    { title: "NAME" },
    { title: "KIND" },
    { title: "SINCE" },
    { title: "SCOPES", flexible: { minimum: 10 } },
  ];
  printTable(context, columns, rows, "There are no service accounts.");
}

async function create(context: ActionContext, [name = ""]: string[], values: Values): Promise<void> {
  const { clients, signal } = context;
  const { kind = "program", scopes = "" } = values;
  const list = scopes === "" ? [] : scopes.split(",").map((scope) => scope.trim());
  const request = { name, kind: readKind(kind), scopes: list };
  const { serviceAccount } = await clients.keys.createServiceAccount(request, { signal });
  tell(context, serviceAccount, `is made. Make it a key with "kinora keys create NAME --account ${name}"`);
}

async function disable(context: ActionContext, [who = ""]: string[]): Promise<void> {
  const { clients, signal } = context;
  const { id } = await findServiceAccount(clients.keys, who, signal);
  const { serviceAccount } = await clients.keys.disableServiceAccount({ id }, { signal });
  tell(context, serviceAccount, "is disabled; what has a token already keeps it for ten minutes at most");
}

async function enable(context: ActionContext, [who = ""]: string[]): Promise<void> {
  const { clients, signal } = context;
  const { id } = await findServiceAccount(clients.keys, who, signal);
  const { serviceAccount } = await clients.keys.enableServiceAccount({ id }, { signal });
  tell(context, serviceAccount, "works again");
}

async function remove(context: ActionContext, [who = ""]: string[], { yes }: Values): Promise<void> {
  const { clients, signal } = context;
  const { id, name } = await findServiceAccount(clients.keys, who, signal);
  await confirmed(context, `Delete ${name} with its keys and videos, for ever?`, yes === true);
  await clients.keys.deleteServiceAccount({ id }, { signal });
  context.stderr.write(`${name} is deleted.\n`);
}

function tell({ json, stdout, stderr }: ActionContext, account: ServiceAccount | undefined, what: string): void {
  if (account === undefined) throw new CliError("The server's answer is incomplete: it names no service account.");
  if (json) stdout.write(jsonLine(ServiceAccountSchema, account));
  stderr.write(`${account.name} ${what}.\n`);
}
