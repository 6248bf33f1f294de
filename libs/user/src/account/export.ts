import type { Sql } from "../store/store.ts";

/**
 * The tables that hold something about a person, each with the columns that are theirs to have. Secrets, and hashes of secrets, stay.
 * export.test.ts fails when a table that names people isn't among them.
 */
export const exportedTables: Record<string, { key: string; columns: string; order: string }> = {
  users: {
    key: "id",
    columns: "id, email, name, birth_date, role, create_time, update_time, email_verify_time, disable_time",
    order: "id",
  },
  sessions: {
    key: "user_id",
    columns:
      "id, device, client_address, last_address, checks, create_time, refresh_time, idle_expire_time, expire_time",
    order: "create_time",
  },
  totp_factors: { key: "user_id", columns: "confirm_time", order: "confirm_time" },
  passkeys: {
    key: "user_id",
    columns: "id, name, synced, transports, create_time, last_use_time",
    order: "create_time",
  },
  api_keys: {
    key: "user_id",
    columns: "id, name, prefix, scopes, create_time, expire_time, last_use_time",
    order: "create_time",
  },
  quota_reservations: {
    key: "user_id",
    columns: "id, milliseconds, state, create_time, expire_time",
    order: "create_time",
  },
  usage_ledger: {
    key: "user_id",
    columns: "id, reservation_id, milliseconds, record_time",
    order: "id",
  },
  quota_ledger: {
    key: "user_id",
    columns: "id, reservation_id, kind, reserved_milliseconds, used_milliseconds, record_time",
    order: "id",
  },
  storage_items: {
    key: "user_id",
    columns: "id, bytes, state, create_time, expire_time",
    order: "create_time",
  },
  storage_ledger: {
    key: "user_id",
    columns: "id, item_id, kind, reserved_bytes, stored_bytes, record_time",
    order: "id",
  },
  quota_limits: {
    key: "user_id",
    columns: "milliseconds, storage_bytes, update_time",
    order: "update_time",
  },
  email_codes: {
    key: "user_id",
    columns: "purpose, email, create_time, expire_time",
    order: "create_time",
  },
  audit_events: {
    key: "user_id",
    columns: "id, time, type, actor_id, address, device, details",
    order: "id",
  },
};

/** Tables that name people and hold nothing but secrets, or that somebody existed. */
export const withheldTables = ["recovery_codes", "passkey_challenges", "pending_sessions", "deleted_users"];

/** Everything that this service has about a person, by table: at most 10,000 rows of each, the newest if there are more. */
export async function exportAccount(sql: Sql, userId: string, now: Date): Promise<Record<string, unknown>> {
  const data: Record<string, unknown> = { exportTime: now.toISOString() };
  for (const [table, { key, columns, order }] of Object.entries(exportedTables)) {
    const rows = await sql.query(
      `select ${columns} from (select * from ${table} where ${key} = $1 order by ${order} desc limit 10000) as newest order by ${order}`,
      [userId],
    );
    data[table] = rows;
  }
  return data;
}
