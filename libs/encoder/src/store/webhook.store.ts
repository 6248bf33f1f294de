import type { Db } from "./db.ts";
import { failPending } from "./webhook-delivery.store.ts";

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
