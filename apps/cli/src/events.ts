import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type AuditEvent, AuditEventSchema } from "@kinora/proto-user";
import type { ActionContext } from "./actions.ts";
import { formatTime } from "./format.ts";
import { jsonLine } from "./json-line.ts";
import { renderTable } from "./table.ts";
import { lookOf } from "./terminal.ts";
import { printable } from "./text-width.ts";

/** Shows the newest events of an account, or of everybody's. */
export async function showEvents(context: ActionContext, userId: string): Promise<void> {
  const { clients, stdout, stderr, signal } = context;
  const { events } = await clients.audit.listAuditEvents({ userId, pageSize: 100 }, { signal });
  if (context.json) {
    for (const event of events) stdout.write(jsonLine(AuditEventSchema, event));
    return;
  }
  if (events.length === 0) {
    stderr.write("Nothing has happened yet.\n");
    return;
  }
  const look = lookOf(stdout, context.env);
  const columns = [
    { title: "TIME" },
    { title: "EVENT" },
    { title: "FROM" },
    { title: "WITH", flexible: { minimum: 10 } },
  ];
  const [head = "", ...lines] = renderTable(
    columns,
    events.map(toRow),
    look.live ? look.columns() : Number.POSITIVE_INFINITY,
  );
  stdout.write(`${[look.paint("bold", head), ...lines].join("\n")}\n`);
}

function toRow({ time, type, details, address, device }: AuditEvent): string[] {
  const more = Object.values(details).map(printable).join(", ");
  return [
    time ? formatTime(timestampDate(time)) : "",
    more ? `${type} (${more})` : type,
    printable(address),
    printable(device),
  ];
}
