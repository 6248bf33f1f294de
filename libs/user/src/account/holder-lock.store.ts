import type { Sql } from "../store/store.ts";

/**
 * Whether a person or a program has this identifier. Holds its row until the transaction ends, so that what is counted for one account before more is added (reservations, keys) is
 * counted by one call at a time.
 */
export async function lockHolder(sql: Sql, id: string): Promise<boolean> {
  const lock = (table: string) => sql.query(`select 1 from ${table} where id = $1 for no key update`, [id]);
  return (await lock("users")).length > 0 || (await lock("service_accounts")).length > 0;
}
