import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import {
  WebhookDeliveryState as State,
  type Webhook,
  type WebhookDelivery,
  WebhookDeliverySchema,
  WebhookSchema,
  WebhookService,
} from "@kinora/proto-encoder";
import { absent, DomainError, type Owners, owned, requireUser } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { pageSizeOf } from "../domain/page-token.ts";
import { isClosed } from "../store/deleted.store.ts";
import {
  deleteWebhook,
  findWebhook,
  insertWebhook,
  listWebhooks,
  replaceSecret,
  updateWebhook,
  type WebhookRecord,
} from "../store/webhook.store.ts";
import {
  type DeliveryRecord,
  type DeliveryState,
  failPending,
  findDelivery,
  insertDelivery,
  listDeliveries,
  noteAttempt,
} from "../store/webhook-delivery.store.ts";
import { attemptDelivery, type WebhookSender } from "../webhook/deliver-webhook.ts";
import { newWebhookSecret } from "../webhook/sign-webhook.ts";
import { eventBody, eventTypes } from "../webhook/webhook-event.ts";
import { webhookUrlFault } from "../webhook/webhook-url.ts";
import { ownerOf } from "./owners.ts";
import { cursorOf, pageOf } from "./pages.ts";

/** Addresses that a person can have. */
const most = 20;
/** How long an old secret still counts, in hours. */
const oldSecretHours = 24;

const states: Readonly<Record<DeliveryState, State>> = {
  pending: State.PENDING,
  succeeded: State.SUCCEEDED,
  failed: State.FAILED,
};

/** The handlers of encoder.v1.WebhookService. */
export function webhookRoutes(router: ConnectRouter, context: Context, sender: WebhookSender): void {
  const { db } = context;

  const webhook = ownerOf(db, "webhook");
  const owners: Owners<typeof WebhookService> = {
    updateWebhook: webhook,
    deleteWebhook: { ...webhook, nothingIsDone: true },
    rotateWebhookSecret: webhook,
    testWebhook: webhook,
    listWebhookDeliveries: webhook,
    redeliverWebhook: ownerOf(db, "delivery"),
  };
  const handlers: ServiceImpl<typeof WebhookService> = {
    async createWebhook({ url, description, events }, call) {
      const ownerId = requireUser(call).userId;
      refuse("url", webhookUrlFault(url, sender.targets));
      refuse("events", eventsFault(events));
      const [id, secret] = [randomUUID(), newWebhookSecret()];
      const stored = sender.secrets.toStored(id, secret);
      const webhook = await db.transact(call.signal, async (tx) => {
        if (await isClosed(tx, ownerId)) throw new DomainError("unauthenticated", "The account was deleted.");
        if ((await listWebhooks(tx, ownerId)).length >= most) {
          throw new DomainError("exhausted", `You have ${most} webhooks. Delete one that you don't need.`);
        }
        return await insertWebhook(tx, { id, ownerId, url, description, events, secret: stored });
      });
      return { ...(webhook && { webhook: webhookMessage(webhook) }), secret };
    },

    async listWebhooks(_request, call) {
      return { webhooks: (await listWebhooks(db, requireUser(call).userId)).map(webhookMessage) };
    },

    async updateWebhook({ id, url, description, events, enabled }, call) {
      if (url !== undefined) refuse("url", webhookUrlFault(url, sender.targets));
      if (events !== undefined) refuse("events.types", eventsFault(events.types));
      const change = { url, description, events: events?.types, enabled };
      const webhook = await db.transact(call.signal, async (tx) => {
        const changed = await updateWebhook(tx, id, requireUser(call).userId, change);
        if (changed?.enabled === false) await failPending(tx, id, "The address was disabled.");
        return changed;
      });
      if (webhook === undefined) throw absent("webhook", id);
      return { webhook: webhookMessage(webhook) };
    },

    async deleteWebhook({ id }, call) {
      await deleteWebhook(db, id, requireUser(call).userId);
      return {};
    },

    async rotateWebhookSecret({ id }, call) {
      const secret = newWebhookSecret();
      const stored = sender.secrets.toStored(id.toLowerCase(), secret);
      if (!(await replaceSecret(db, id, requireUser(call).userId, stored, oldSecretHours))) throw absent("webhook", id);
      return { secret };
    },

    async testWebhook({ id }, call) {
      if ((await findWebhook(db, id, requireUser(call).userId)) === undefined) throw absent("webhook", id);
      const delivery = await insertDelivery(db, id, { eventId: randomUUID(), type: "webhook.test", data: {} });
      if (delivery === undefined) throw absent("webhook", id);
      const outcome = await attemptDelivery(sender, delivery, call.signal);
      await noteAttempt(db, delivery.id, { state: outcome.error === "" ? "succeeded" : "failed", ...outcome });
      const made = await findDelivery(db, delivery.id);
      return { ...(made && { delivery: deliveryMessage(made, sender) }) };
    },

    async listWebhookDeliveries({ webhookId, pageSize, pageToken }, call) {
      if ((await findWebhook(db, webhookId, requireUser(call).userId)) === undefined)
        throw absent("webhook", webhookId);
      const limit = pageSizeOf(pageSize);
      const { items, nextPageToken } = pageOf(
        await listDeliveries(db, webhookId, limit + 1, cursorOf(pageToken)),
        limit,
      );
      return { deliveries: items.map((delivery) => deliveryMessage(delivery, sender)), nextPageToken };
    },

    async redeliverWebhook({ deliveryId }, call) {
      const delivery = await db.transact(call.signal, async (tx) => {
        const old = await findDelivery(tx, deliveryId, requireUser(call).userId);
        if (old === undefined) throw absent("delivery", deliveryId);
        const again = await insertDelivery(tx, old.webhookId, old);
        if (again === undefined) throw absent("delivery", deliveryId);
        await context.queue.send(tx, "webhook", { deliveryId: again.id, attempt: 1 }, 0, old.webhookId);
        return again;
      });
      context.queue.wake();
      return { delivery: deliveryMessage(delivery, sender) };
    },
  };
  router.service(WebhookService, owned(WebhookService, owners, handlers));
}

function eventsFault(events: readonly string[]): string | undefined {
  const unknown = events.find((event) => !eventTypes.some((type) => type === event));
  return unknown === undefined ? undefined : `must be of ${eventTypes.join(", ")}; ${JSON.stringify(unknown)} isn't`;
}

function refuse(field: string, message: string | undefined): void {
  if (message !== undefined)
    throw new DomainError("invalid", `${field} ${message}.`, { violations: [{ field, message }] });
}

function webhookMessage(webhook: WebhookRecord): Webhook {
  const { id, url, description, events, enabled, disabledReason, failingSince, createdAt } = webhook;
  return create(WebhookSchema, {
    id,
    url,
    description,
    events,
    enabled,
    disabledReason,
    ...(failingSince && { failingSince: timestampFromDate(failingSince) }),
    createTime: timestampFromDate(createdAt),
  });
}

function deliveryMessage(delivery: DeliveryRecord, sender: WebhookSender): WebhookDelivery {
  return create(WebhookDeliverySchema, {
    id: delivery.id,
    eventId: delivery.eventId,
    type: delivery.type,
    eventTime: timestampFromDate(delivery.happenedAt),
    state: states[delivery.state],
    attempts: delivery.attempts,
    lastStatus: delivery.lastStatus,
    lastError: delivery.lastError,
    ...(delivery.lastAttemptAt && { lastAttemptTime: timestampFromDate(delivery.lastAttemptAt) }),
    ...(delivery.nextAttemptAt && { nextAttemptTime: timestampFromDate(delivery.nextAttemptAt) }),
    body: eventBody(delivery, sender.publicUrl()),
  });
}
