import type { Context } from "../context.ts";
import type { ControlJobs } from "../queue/queue.ts";
import { disableWebhook, noteFailing, noteWell } from "../store/webhook.store.ts";
import { type DeliveryRecord, findDelivery, lockDelivery, noteAttempt } from "../store/webhook-delivery.store.ts";
import { nextAttemptIn } from "./retry-schedule.ts";
import { sendWebhook } from "./send-webhook.ts";
import { webhookHeaders } from "./sign-webhook.ts";
import { eventBody } from "./webhook-event.ts";
import type { WebhookSecrets } from "./webhook-secrets.ts";
import type { WebhookTargets } from "./webhook-url.ts";

/** An answer must be here after this time, in milliseconds. */
const answerMs = 10_000;
/** An address that has failed for this long is disabled, in days. */
const failingDays = 5;

/** What sending needs beside the context. */
export type WebhookSender = { publicUrl: () => string; targets: WebhookTargets; secrets: WebhookSecrets };

/** How an attempt ended: with no error when the address took the event. */
type Outcome = { status: number; error: string; retryAfterSeconds?: number | undefined };

/**
 * Makes one attempt at a delivery, notes what came of it and queues the next one if need be. A job that isn't the delivery's next attempt (any more) does
 * nothing.
 */
export async function deliverWebhook(
  context: Context,
  sender: WebhookSender,
  job: ControlJobs["webhook"],
  signal: AbortSignal,
): Promise<void> {
  const delivery = await findDelivery(context.db, job.deliveryId);
  if (delivery?.state !== "pending" || delivery.attempts !== job.attempt - 1) return;
  const outcome = await attemptDelivery(sender, delivery, signal);
  signal.throwIfAborted(); // this process stops: another one makes the attempt
  await settleAttempt(context, delivery, outcome, signal);
}

/** Sends an event once. */
export async function attemptDelivery(
  sender: WebhookSender,
  delivery: DeliveryRecord,
  signal: AbortSignal,
): Promise<Outcome> {
  const body = eventBody(delivery, sender.publicUrl());
  const seconds = Math.floor(Date.now() / 1000);
  const opened = delivery.secrets.map((stored) => sender.secrets.fromStored(delivery.webhookId, stored));
  const secrets = opened.filter((secret) => secret !== undefined);
  if (secrets.length === 0)
    return { status: 0, error: "The secret of this address can't be opened any more: rotate it." };
  const headers = webhookHeaders(secrets, { id: delivery.eventId, seconds, body });
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
    const { status, retryAfterSeconds } = await sendWebhook(delivery.url, { headers, body }, sender.targets, limit);
    if (status >= 200 && status < 300) return { status, error: "" };
    const redirect = status >= 300 && status < 400 ? ": redirects aren't followed" : "";
    return { status, error: `The address answered ${status}${redirect}.`, retryAfterSeconds };
  } catch (error) {
    return { status: 0, error: error instanceof Error ? error.message : String(error) };
  }
}

async function settleAttempt(
  context: Context,
  { id, attempts, webhookId }: DeliveryRecord,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<void> {
  const next =
    outcome.status === 410 ? undefined : nextAttemptIn(attempts + 1, outcome.retryAfterSeconds, Math.random());
  await context.db.transact(signal, async (db) => {
    if (!(await lockDelivery(db, id, attempts))) return; // deleted meanwhile
    const failed = outcome.error !== "";
    const state = failed ? (next === undefined ? "failed" : "pending") : "succeeded";
    await noteAttempt(db, id, { state, ...outcome, nextInSeconds: state === "pending" ? next : undefined });
    if (!failed) return await noteWell(db, webhookId);
    const failingSince = await noteFailing(db, webhookId);
    const days = failingSince === undefined ? 0 : (Date.now() - failingSince.getTime()) / (24 * 3600 * 1000);
    if (outcome.status === 410) return await disableWebhook(db, webhookId, "It answered 410 Gone.");
    if (days > failingDays)
      return await disableWebhook(db, webhookId, `Everything sent to it in ${failingDays} days has failed.`);
    if (next === undefined) return;
    await context.queue.send(db, "webhook", { deliveryId: id, attempt: attempts + 2 }, next, webhookId);
  });
}
