import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  type Webhook,
  type WebhookDelivery,
  WebhookDeliverySchema,
  WebhookDeliveryState,
  WebhookSchema,
} from "@kinora/proto-encoder";
import { type WebhookClient, webhookClient } from "../clients.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import type { Context } from "../context.ts";
import { CliError, UsageError } from "../errors.ts";
import { formatTime } from "../format.ts";
import { jsonLine } from "../json-line.ts";
import { type Column, renderTable } from "../table.ts";
import { lookOf } from "../terminal.ts";
import { printable } from "../text-width.ts";

type Values = { events?: string; about?: string };
type Act = (context: Context, webhooks: WebhookClient, argument: string, values: Values) => Promise<void>;

export const command = defineCommand({
  options: {
    events: {
      type: "string",
      value: "TYPES",
      about: "of add: only these types, such as encode.succeeded,encode.failed",
    },
    about: { type: "string", value: "TEXT", about: "of add: what the address is for" },
  },
  details: [
    "kinora webhooks                    your addresses",
    "kinora webhooks add URL            add one; prints the secret that its events are signed with",
    "kinora webhooks test ID            send it an event now",
    "kinora webhooks sent ID            what was sent to it, newest first",
    "kinora webhooks resend DELIVERY    send that once more",
    "kinora webhooks enable|disable ID  begin or stop to send",
    "kinora webhooks secret ID          give it a new secret; the old one counts for a day more",
    "kinora webhooks delete ID          remove it",
  ].join("\n"),
  positionals: [0, 2],
  json: true,
  async run(context, { positionals: [name, argument], values }) {
    const act = name === undefined ? list : actions[name];
    if (act === undefined) throw new UsageError(`kinora webhooks ${name}: see "kinora webhooks --help".`);
    if (act !== list && argument === undefined)
      throw new UsageError(`kinora webhooks ${name}: an argument is missing.`);
    const { server, session } = await connect(context);
    await act(context, webhookClient(server.encoder, session), argument ?? "", values);
  },
});

const list: Act = async (context, webhooks) => {
  const { webhooks: found } = await webhooks.listWebhooks({}, { signal: context.signal });
  if (context.json) {
    for (const webhook of found) context.stdout.write(jsonLine(WebhookSchema, webhook));
  } else if (found.length === 0) {
    context.stderr.write('You have no webhooks. Add one with "kinora webhooks add URL".\n');
  } else {
    const columns = [
      { title: "ID" },
      { title: "STATE" },
      { title: "ADDRESS", flexible: { minimum: 20 } },
      { title: "EVENTS" },
    ];
    const rows = found.map((one) => [one.id, stateOf(one), printable(one.url), one.events.join(",") || "all"]);
    table(context, columns, rows);
  }
};

const actions: Readonly<Record<string, Act>> = {
  list,

  async add(context, webhooks, url, values) {
    const events = values.events?.split(",").map((type) => type.trim()) ?? [];
    const request = { url, events, description: values.about ?? "" };
    const { webhook, secret } = await webhooks.createWebhook(request, { signal: context.signal });
    if (context.json) context.stdout.write(`${JSON.stringify({ id: webhook?.id, url, secret })}\n`);
    else {
      context.stderr.write(
        `Added as ${webhook?.id}. Its events are signed with this secret, which isn't shown again:\n`,
      );
      context.stdout.write(`${secret}\n`);
    }
  },

  async test(context, webhooks, id) {
    const { delivery } = await webhooks.testWebhook({ id }, { signal: context.signal });
    if (delivery === undefined) throw new CliError("The server's answer is incomplete.");
    if (context.json) context.stdout.write(jsonLine(WebhookDeliverySchema, delivery));
    if (delivery.state !== WebhookDeliveryState.SUCCEEDED) throw new CliError(printable(delivery.lastError));
    if (!context.json) context.stderr.write(`The address answered ${delivery.lastStatus}.\n`);
  },

  async sent(context, webhooks, id) {
    const { deliveries } = await webhooks.listWebhookDeliveries({ webhookId: id }, { signal: context.signal });
    if (context.json) {
      for (const delivery of deliveries) context.stdout.write(jsonLine(WebhookDeliverySchema, delivery));
      return;
    }
    const columns = [
      { title: "DELIVERY" },
      { title: "EVENT" },
      { title: "HAPPENED" },
      { title: "STATE" },
      { title: "TRIES", align: "right" as const },
      { title: "LAST", flexible: { minimum: 10 } },
    ];
    table(context, columns, deliveries.map(deliveryRow));
  },

  async resend(context, webhooks, deliveryId) {
    const { delivery } = await webhooks.redeliverWebhook({ deliveryId }, { signal: context.signal });
    context.stderr.write(`Sent once more, as delivery ${delivery?.id}.\n`);
  },

  async enable(context, webhooks, id) {
    await webhooks.updateWebhook({ id, enabled: true }, { signal: context.signal });
    context.stderr.write("Events are sent from now on.\n");
  },

  async disable(context, webhooks, id) {
    await webhooks.updateWebhook({ id, enabled: false }, { signal: context.signal });
    context.stderr.write("Nothing is sent any more.\n");
  },

  async secret(context, webhooks, id) {
    const { secret } = await webhooks.rotateWebhookSecret({ id }, { signal: context.signal });
    context.stdout.write(context.json ? `${JSON.stringify({ id, secret })}\n` : `${secret}\n`);
  },

  async delete(context, webhooks, id) {
    await webhooks.deleteWebhook({ id }, { signal: context.signal });
    context.stderr.write(`The webhook ${id} is removed.\n`);
  },
};

function stateOf({ enabled, disabledReason, failingSince }: Webhook): string {
  if (!enabled) return disabledReason === "" ? "disabled" : `disabled: ${printable(disabledReason)}`;
  return failingSince === undefined ? "enabled" : `failing since ${formatTime(timestampDate(failingSince))}`;
}

const deliveryStates: Readonly<Record<WebhookDeliveryState, string>> = {
  [WebhookDeliveryState.UNSPECIFIED]: "unknown",
  [WebhookDeliveryState.PENDING]: "waiting",
  [WebhookDeliveryState.SUCCEEDED]: "received",
  [WebhookDeliveryState.FAILED]: "given up",
};

function deliveryRow(delivery: WebhookDelivery): string[] {
  return [
    delivery.id,
    delivery.type,
    delivery.eventTime ? formatTime(timestampDate(delivery.eventTime)) : "",
    deliveryStates[delivery.state] ?? "unknown",
    String(delivery.attempts),
    printable(delivery.lastError) || (delivery.lastStatus > 0 ? String(delivery.lastStatus) : ""),
  ];
}

function table({ stdout, env }: Context, columns: readonly Column[], rows: string[][]): void {
  const look = lookOf(stdout, env);
  const [head = "", ...lines] = renderTable(columns, rows, look.live ? look.columns() : Number.POSITIVE_INFINITY);
  stdout.write(`${[look.paint("bold", head), ...lines].join("\n")}\n`);
}
