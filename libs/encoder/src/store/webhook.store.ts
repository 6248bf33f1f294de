import { randomUUID } from "node:crypto";
import type { Cursor } from "../domain/page-token.ts";
import type { Db } from "./db.ts";

/** An address that events are sent to. */
export type WebhookRecord = {
  id: string;
  ownerId: string;
  url: string;
  description: string;
  /** Types of events; none stands for all. */
  events: string[];
  enabled: boolean;
  disabledReason: string;
  failingSince: Date | undefined;
  createdAt: Date;
};

/** Where an event's way to an address stands. */
export type DeliveryState = "pending" | "succeeded" | "failed";

/** An event on its way to an address, with what sending it needs. */
export type DeliveryRecord = {
  id: string;
  webhookId: string;
  url: string;
  /** What it is signed with, as it is stored: the secret, and for a while the one before it. */
  secrets: string[];
  eventId: string;
  type: string;
  data: Record<string, unknown>;
  happenedAt: Date;
  state: DeliveryState;
  attempts: number;
  lastStatus: number;
  lastError: string;
  lastAttemptAt: Date | undefined;
  nextAttemptAt: Date | undefined;
  createdAt: Date;
};

type WebhookRow = {
  id: string;
  owner_id: string;
  url: string;
  description: string;
  events: string[];
  enabled: boolean;
  disabled_reason: string;
  failing_since: Date | null;
  created_at: Date;
};

const webhookColumns = "id, owner_id, url, description, events, enabled, disabled_reason, failing_since, created_at";

const webhookOf = (row: WebhookRow): WebhookRecord => ({
  id: row.id,
  ownerId: row.owner_id,
  url: row.url,
  description: row.description,
  events: row.events,
  enabled: row.enabled,
  disabledReason: row.disabled_reason,
  failingSince: row.failing_since ?? undefined,
  createdAt: row.created_at,
});

/** Adds an address. */
export async function insertWebhook(
  db: Db,
  webhook: { id: string; ownerId: string; url: string; description: string; events: readonly string[]; secret: string },
): Promise<WebhookRecord | undefined> {
  const { rows } = await db.query<WebhookRow>(
    `INSERT INTO webhooks (id, owner_id, url, description, events, secret) VALUES ($1, $2, $3, $4, $5, $6)
     RETURNING ${webhookColumns}`,
    [webhook.id, webhook.ownerId, webhook.url, webhook.description, webhook.events, webhook.secret],
  );
  return rows.map(webhookOf)[0];
}

/** A person's address. */
export async function findWebhook(db: Db, id: string, ownerId: string): Promise<WebhookRecord | undefined> {
  const { rows } = await db.query<WebhookRow>(
    `SELECT ${webhookColumns} FROM webhooks WHERE id = $1 AND owner_id = $2`,
    [id, ownerId],
  );
  return rows.map(webhookOf)[0];
}

/** A person's addresses, oldest first. */
export async function listWebhooks(db: Db, ownerId: string): Promise<WebhookRecord[]> {
  const { rows } = await db.query<WebhookRow>(
    `SELECT ${webhookColumns} FROM webhooks WHERE owner_id = $1 ORDER BY created_at, id`,
    [ownerId],
  );
  return rows.map(webhookOf);
}

/** Changes an address; what isn't given stays. Enabling one forgets why it was disabled. */
export async function updateWebhook(
  db: Db,
  id: string,
  ownerId: string,
  change: {
    url?: string | undefined;
    description?: string | undefined;
    events?: readonly string[] | undefined;
    enabled?: boolean | undefined;
  },
): Promise<WebhookRecord | undefined> {
  const { rows } = await db.query<WebhookRow>(
    `UPDATE webhooks SET
       url = coalesce($3, url), description = coalesce($4, description), events = coalesce($5, events),
       enabled = coalesce($6, enabled),
       disabled_reason = CASE WHEN $6 IS NULL THEN disabled_reason ELSE '' END,
       failing_since = CASE WHEN $6 IS TRUE OR $3 IS NOT NULL THEN NULL ELSE failing_since END
     WHERE id = $1 AND owner_id = $2 RETURNING ${webhookColumns}`,
    [id, ownerId, change.url ?? null, change.description ?? null, change.events ?? null, change.enabled ?? null],
  );
  return rows.map(webhookOf)[0];
}

/** Removes an address with its deliveries. */
export async function deleteWebhook(db: Db, id: string, ownerId: string): Promise<void> {
  await db.query("DELETE FROM webhooks WHERE id = $1 AND owner_id = $2", [id, ownerId]);
}

/** Removes everything of an account. */
export async function deleteWebhooksOf(db: Db, ownerId: string): Promise<void> {
  await db.query("DELETE FROM webhooks WHERE owner_id = $1", [ownerId]);
}

/** Gives an address another secret; the one that it had counts for so many hours more. False if there is no such address. */
export async function replaceSecret(
  db: Db,
  id: string,
  ownerId: string,
  secret: string,
  hours: number,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE webhooks SET old_secret = secret, old_secret_until = now() + $4 * interval '1 hour', secret = $3
     WHERE id = $1 AND owner_id = $2`,
    [id, ownerId, secret, hours],
  );
  return rowCount === 1;
}

/** Addresses with a secret that doesn't begin with `sealedPrefix`. */
export async function listPlainSecrets(
  db: Db,
  sealedPrefix: string,
  limit: number,
): Promise<{ id: string; secret: string; oldSecret: string | null }[]> {
  const { rows } = await db.query<{ id: string; secret: string; oldSecret: string | null }>(
    `SELECT id, secret, old_secret AS "oldSecret" FROM webhooks
     WHERE NOT starts_with(secret, $1) OR NOT starts_with(old_secret, $1) ORDER BY id LIMIT $2`,
    [sealedPrefix, limit],
  );
  return rows;
}

/** Keeps an address's secrets in another form, unless they were replaced meanwhile. */
export async function sealSecret(
  db: Db,
  id: string,
  was: { secret: string; oldSecret: string | null },
  secret: string,
  oldSecret: string | null,
): Promise<void> {
  await db.query(
    "UPDATE webhooks SET secret = $4, old_secret = $5 WHERE id = $1 AND secret = $2 AND old_secret IS NOT DISTINCT FROM $3",
    [id, was.secret, was.oldSecret, secret, oldSecret],
  );
}

/** Notes that an address took an event. */
export async function noteWell(db: Db, id: string): Promise<void> {
  await db.query("UPDATE webhooks SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL", [id]);
}

/** Notes that an address failed; the answer is since when nothing else has happened. */
export async function noteFailing(db: Db, id: string): Promise<Date | undefined> {
  const { rows } = await db.query<{ failing_since: Date }>(
    "UPDATE webhooks SET failing_since = coalesce(failing_since, now()) WHERE id = $1 RETURNING failing_since",
    [id],
  );
  return rows[0]?.failing_since;
}

/** Stops sending to an address, and gives up what is on its way. */
export async function disableWebhook(db: Db, id: string, reason: string): Promise<void> {
  await db.query("UPDATE webhooks SET enabled = false, disabled_reason = $2 WHERE id = $1", [id, reason]);
  await failPending(db, id, "The address was disabled.");
}

/** Gives up what is on its way to an address. */
export async function failPending(db: Db, webhookId: string, reason: string): Promise<void> {
  await db.query(
    `UPDATE webhook_deliveries SET state = 'failed', next_attempt_at = NULL,
       last_error = CASE WHEN last_error = '' THEN $2 ELSE last_error END
     WHERE webhook_id = $1 AND state = 'pending'`,
    [webhookId, reason],
  );
}

type DeliveryRow = {
  id: string;
  webhook_id: string;
  url: string;
  secrets: string[];
  event_id: string;
  type: string;
  data: Record<string, unknown>;
  happened_at: Date;
  state: DeliveryState;
  attempts: number;
  last_status: number;
  last_error: string;
  last_attempt_at: Date | null;
  next_attempt_at: Date | null;
  created_at: Date;
};

const selectDelivery = `
  SELECT d.id, d.webhook_id, w.url,
    array_remove(ARRAY[w.secret, CASE WHEN w.old_secret_until > now() THEN w.old_secret END], NULL) AS secrets,
    d.event_id, d.type, d.data, d.happened_at, d.state, d.attempts, d.last_status, d.last_error, d.last_attempt_at, d.next_attempt_at,
    d.created_at
  FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id`;

const deliveryOf = (row: DeliveryRow): DeliveryRecord => ({
  id: row.id,
  webhookId: row.webhook_id,
  url: row.url,
  secrets: row.secrets,
  eventId: row.event_id,
  type: row.type,
  data: row.data,
  happenedAt: row.happened_at,
  state: row.state,
  attempts: row.attempts,
  lastStatus: row.last_status,
  lastError: row.last_error,
  lastAttemptAt: row.last_attempt_at ?? undefined,
  nextAttemptAt: row.next_attempt_at ?? undefined,
  createdAt: row.created_at,
});

/** Puts an event on its way to all addresses of a person that want it. */
export async function insertDeliveries(
  db: Db,
  ownerId: string,
  event: { eventId: string; type: string; data: Record<string, unknown> },
): Promise<{ id: string; webhookId: string }[]> {
  const { rows } = await db.query<{ id: string; webhook_id: string }>(
    `INSERT INTO webhook_deliveries (id, webhook_id, event_id, type, data, next_attempt_at)
     SELECT gen_random_uuid(), id, $2, $3, $4::jsonb, now() FROM webhooks
     WHERE owner_id = $1 AND enabled AND (events = '{}' OR $3 = ANY(events))
     RETURNING id, webhook_id`,
    [ownerId, event.eventId, event.type, JSON.stringify(event.data)],
  );
  return rows.map((row) => ({ id: row.id, webhookId: row.webhook_id }));
}

/** Puts an event on its way to one address, for the first time or again. */
export async function insertDelivery(
  db: Db,
  webhookId: string,
  event: { eventId: string; type: string; data: Record<string, unknown>; happenedAt?: Date },
): Promise<DeliveryRecord | undefined> {
  const id = randomUUID();
  await db.query(
    `INSERT INTO webhook_deliveries (id, webhook_id, event_id, type, data, happened_at, next_attempt_at)
     VALUES ($1, $2, $3, $4, $5::jsonb, coalesce($6, now()), now())`,
    [id, webhookId, event.eventId, event.type, JSON.stringify(event.data), event.happenedAt ?? null],
  );
  return await findDelivery(db, id);
}

/** A delivery. With `ownerId`, only if it is theirs. */
export async function findDelivery(db: Db, id: string, ownerId?: string): Promise<DeliveryRecord | undefined> {
  const { rows } = await db.query<DeliveryRow>(
    `${selectDelivery} WHERE d.id = $1 AND ($2::uuid IS NULL OR w.owner_id = $2)`,
    [id, ownerId ?? null],
  );
  return rows.map(deliveryOf)[0];
}

/** The deliveries to an address, newest first, after the cursor. */
export async function listDeliveries(
  db: Db,
  webhookId: string,
  limit: number,
  after?: Cursor,
): Promise<DeliveryRecord[]> {
  const { rows } = await db.query<DeliveryRow>(
    `${selectDelivery}
     WHERE d.webhook_id = $1 AND ($3::timestamptz IS NULL OR (d.created_at, d.id) < ($3, $4::uuid))
     ORDER BY d.created_at DESC, d.id DESC LIMIT $2`,
    [webhookId, limit, after?.createdAt ?? null, after?.id ?? null],
  );
  return rows.map(deliveryOf);
}

/** Locks a delivery that is still pending after so many attempts. */
export async function lockDelivery(db: Db, id: string, attempts: number): Promise<boolean> {
  const { rowCount } = await db.query(
    "SELECT FROM webhook_deliveries WHERE id = $1 AND attempts = $2 AND state = 'pending' FOR UPDATE",
    [id, attempts],
  );
  return rowCount === 1;
}

/** Notes how an attempt ended. */
export async function noteAttempt(
  db: Db,
  id: string,
  attempt: { state: DeliveryState; status: number; error: string; nextInSeconds?: number | undefined },
): Promise<void> {
  await db.query(
    `UPDATE webhook_deliveries SET state = $2, attempts = attempts + 1, last_status = $3, last_error = $4, last_attempt_at = now(),
       next_attempt_at = now() + $5 * interval '1 second'
     WHERE id = $1`,
    [id, attempt.state, attempt.status, attempt.error, attempt.nextInSeconds ?? null],
  );
}

/** Forgets what happened before so many days: by then it is sent or given up. */
export async function forgetDeliveries(db: Db, days: number): Promise<void> {
  await db.query("DELETE FROM webhook_deliveries WHERE created_at < now() - $1 * interval '1 day'", [days]);
}
