import type { Sql } from "../store/store.ts";
import type { AuditEntry, AuditEvent } from "./audit.ts";

/** Adds an event to the log. In the transaction of what it tells, where that is one; the database refuses to change or remove it afterwards. */
export async function recordEvent(sql: Sql, entry: AuditEntry): Promise<void> {
  const { type, userId = null, actorId = null, origin, time, details = {} } = entry;
  await sql.query(
    `insert into audit_events (time, type, user_id, actor_id, address, device, details) values ($1, $2, $3, $4, $5, $6, $7)`,
    [time, type, userId, actorId, origin.address, origin.device, details],
  );
}

/** Which events to list. */
export type AuditFilter = {
  userId: string | undefined;
  /** The type or what stands before its first dot; empty for all. */
  type: string;
  start: Date | undefined;
  end: Date | undefined;
  /** Only events older than this one. */
  before: number | undefined;
};

/** Events, newest first. */
export async function listEvents(sql: Sql, filter: AuditFilter, limit: number): Promise<AuditEvent[]> {
  return await sql.query<AuditEvent>(
    `select id::float8 as id, time, type, user_id as "userId", actor_id as "actorId", address, device, details from audit_events
     where ($1::uuid is null or user_id = $1)
       and ($2 = '' or type = $2 or starts_with(type, $2 || '.'))
       and ($3::timestamptz is null or time >= $3)
       and ($4::timestamptz is null or time < $4)
       and ($5::bigint is null or id < $5)
     order by id desc limit $6`,
    [filter.userId ?? null, filter.type, filter.start ?? null, filter.end ?? null, filter.before ?? null, limit],
  );
}
