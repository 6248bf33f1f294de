import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Factor, type Session, SessionSchema } from "@kinora/proto-user";
import { type SessionClient, sessionClient } from "../clients.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import type { Context } from "../context.ts";
import { CliError, UsageError } from "../errors.ts";
import { formatTime } from "../format.ts";
import { isIdentifier } from "../identifier.ts";
import { jsonLine } from "../json-line.ts";
import { renderTable } from "../table.ts";
import { lookOf } from "../terminal.ts";
import { printable } from "../text-width.ts";

type Act = (context: Context, sessions: SessionClient, argument: string | undefined) => Promise<void>;

export const command = defineCommand({
  options: {},
  details: [
    "kinora sessions                where you are logged in",
    "kinora sessions end ID         log out there",
    "kinora sessions end-others     log out everywhere but here",
  ].join("\n"),
  positionals: [0, 2],
  json: true,
  async run(context, { positionals: [name = "list", argument] }) {
    const act = actions[name];
    if (act === undefined) throw new UsageError(`kinora sessions ${name}: see "kinora sessions --help".`);
    const { server, session } = await connect(context);
    await act(context, sessionClient(server.user, session), argument);
  },
});

const actions: Readonly<Record<string, Act>> = {
  async list(context, client) {
    const { sessions } = await client.listSessions({}, { signal: context.signal });
    if (context.json) {
      for (const session of sessions) context.stdout.write(jsonLine(SessionSchema, session));
      return;
    }
    const columns = [
      { title: "ID" },
      { title: "WHERE", flexible: { minimum: 12 } },
      { title: "ADDRESS" },
      { title: "BEGAN" },
      { title: "LAST USED" },
      { title: "BY" },
    ];
    const look = lookOf(context.stdout, context.env);
    const width = look.live ? look.columns() : Number.POSITIVE_INFINITY;
    const [head = "", ...lines] = renderTable(columns, sessions.map(rowOf), width);
    context.stdout.write(`${[look.paint("bold", head), ...lines].join("\n")}\n`);
  },

  async end(context, client, id) {
    if (id === undefined)
      throw new UsageError('kinora sessions end: an argument is missing; "kinora sessions" lists them.');
    if (!isIdentifier(id)) throw new CliError(`You have no session ${printable(id)}: see "kinora sessions".`);
    await client.endSession({ id }, { signal: context.signal });
    if (context.json) context.stdout.write(`${JSON.stringify({ id })}\n`);
    else context.stderr.write("That session has ended.\n");
  },

  async "end-others"(context, client) {
    const { ended } = await client.endOtherSessions({}, { signal: context.signal });
    if (context.json) context.stdout.write(`${JSON.stringify({ ended })}\n`);
    else context.stderr.write(ended === 1 ? "One other session has ended.\n" : `${ended} other sessions have ended.\n`);
  },
};

const factorNames: Readonly<Record<number, string>> = {
  [Factor.PASSWORD]: "password",
  [Factor.TOTP]: "code",
  [Factor.RECOVERY_CODE]: "recovery code",
  [Factor.PASSKEY]: "passkey",
};

function rowOf({ id, device, address, createTime, lastUseTime, factors, current }: Session): string[] {
  const time = (at: typeof createTime) => (at === undefined ? "" : formatTime(timestampDate(at)));
  const where = `${printable(device) || "unknown"}${current ? " (here)" : ""}`;
  const by = factors.map((factor) => factorNames[factor] ?? "unknown").join(", ");
  return [id, where, address, time(createTime), time(lastUseTime), by];
}
