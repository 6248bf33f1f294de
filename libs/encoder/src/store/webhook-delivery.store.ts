import { randomUUID } from "node:crypto";
import type { Cursor } from "../domain/page-token.ts";
import type { Db } from "./db.ts";

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
