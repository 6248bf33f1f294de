import type { Sql } from "../store/store.ts";
import type { AuditEntry, AuditEvent } from "./audit.ts";

/** Adds an event to the log. In the transaction of what it tells, where that is one; the database refuses to change or remove it afterwards. */
export async function recordEvent(sql: Sql, entry: AuditEntry): Promise<void> {
  await sql.query(addingEvent(1), eventValues(entry));
}

/** The statement that adds an event, also as a part of a larger one: its parameters from `first` on are the event's values. One event for each row of `from`, if that is given. */
export function addingEvent(first: number, from?: string): string {
  const values = eventColumns.map((_, index) => `$${first + index}`).join(", ");
  return `insert into audit_events (${eventColumns.join(", ")}) ${from === undefined ? `values (${values})` : `select ${values} from ${from}`}`;
}

const eventColumns = ["time", "type", "user_id", "actor_id", "address", "device", "details"];

/** The values of an event, in the order of `addingEvent`. */
export function eventValues(entry: AuditEntry): unknown[] {
  const { type, userId = null, actorId = null, origin, time, details = {} } = entry;
  return [time, type, userId, actorId, origin.address, origin.device, details];
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

/** How many events one statement removes at most. */
const mostPruned = 10_000;

/** Removes the oldest events from before `before`, some at a time; how many. The database refuses where one is younger than 30 days. */
export async function deleteOldEvents(sql: Sql, before: Date): Promise<number> {
  // Of the oldest alone, so that a look at a long log that has nothing to lose is as quick as at a short one.
  const gone = await sql.query(
    `delete from audit_events where time < $1 and id in (select id from audit_events order by id limit $2) returning 1`,
    [before, mostPruned],
  );
  return gone.length;
}
