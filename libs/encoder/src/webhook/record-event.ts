import { randomUUID } from "node:crypto";
import type { Context } from "../context.ts";
import type { Db } from "../store/db.ts";
import { insertDeliveries } from "../store/webhook-delivery.store.ts";
import type { WebhookEvent } from "./webhook-event.ts";

/**
 * Puts an event on record for everybody who is to be told of it, in the transaction of what happened: both are there or neither is. It is sent in the
 * background, within seconds or at once after `queue.wake()`.
 */
export async function recordEvent({ queue }: Pick<Context, "queue">, db: Db, event: WebhookEvent): Promise<void> {
  const { type, ownerId, videoId, encodeId, data } = event;
  const deliveries = await insertDeliveries(db, ownerId, {
    eventId: randomUUID(),
    type,
    data: { videoId, ...(encodeId && { encodeId }), ...data },
  });
  for (const { id, webhookId } of deliveries) {
    await queue.send(db, "webhook", { deliveryId: id, attempt: 1 }, 0, webhookId);
  }
}
