import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Passkey, PasskeySchema } from "@kinora/proto-user";
import type { ActionContext } from "../actions.ts";
import { CliError, UsageError } from "../errors.ts";
import { formatTime } from "../format.ts";
import { jsonLine } from "../json-line.ts";
import { printTable } from "../print-table.ts";
import { withRecentLogin } from "../recent-login.ts";
import { printable } from "../text-width.ts";

const usage = "Use: kinora account passkeys, or with: rename PASSKEY NAME, remove PASSKEY";
const making =
  "A passkey is made in a browser, which asks your device for it: a page calls FactorService.StartPasskey.";

/** Lists passkeys, renames or removes one. A terminal can't make one: only browsers speak to authenticators for a site. */
export async function passkeys(context: ActionContext, [what = "list", which = "", name]: string[]): Promise<void> {
  const { clients, connection, signal, stderr, stdout } = context;
  if (what === "add" || what === "create") throw new CliError(making);
  const { passkeys: all } = await clients.factors.listFactors({}, { signal });
  if (what === "list" && which === "") return list(context, all);
  if (what === "rename" && name !== undefined) {
    const { id } = find(all, which);
    const { passkey } = await clients.factors.renamePasskey({ id, name }, { signal });
    if (context.json && passkey) stdout.write(jsonLine(PasskeySchema, passkey));
    stderr.write(`The passkey is "${printable(name)}" now.\n`);
  } else if (what === "remove" && which !== "") {
    const passkey = find(all, which);
    await withRecentLogin(context, connection, () => clients.factors.removePasskey({ id: passkey.id }, { signal }));
    stderr.write(`The passkey "${printable(passkey.name)}" is worth nothing any more.\n`);
  } else {
    throw new UsageError(usage);
  }
}

function list(context: ActionContext, all: readonly Passkey[]): void {
  if (context.json) {
    for (const passkey of all) context.stdout.write(jsonLine(PasskeySchema, passkey));
    return;
  }
  const time = (at: Passkey["createTime"]) => (at ? formatTime(timestampDate(at)) : "never");
  const rows = all.map(({ id, name, createTime, lastUseTime, synced }) => [
    id,
    printable(name),
    time(createTime),
    time(lastUseTime),
    synced ? "yes" : "no",
  ]);
  const columns = [
    { title: "ID" },
    { title: "NAME", flexible: { minimum: 12 } },
    { title: "SINCE" },
    { title: "LAST USED" },
    { title: "SYNCED" },
  ];
  printTable(context, columns, rows, `You have no passkeys. ${making}`);
}

/** The passkey of an identifier, or of a name that only one has. */
function find(all: readonly Passkey[], which: string): Passkey {
  const found = all.filter(({ id, name }) => id === which || name === which);
  const [one] = found;
  if (one === undefined) throw new CliError(`You have no passkey "${which}".`);
  if (found.length > 1) throw new CliError(`Several passkeys are called "${which}": give the ID of one.`);
  return one;
}
