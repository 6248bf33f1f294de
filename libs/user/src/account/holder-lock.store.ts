import type { Sql } from "../store/store.ts";

/**
 * Whether a person or a program has this identifier. Holds its row until the transaction ends: what is counted for one account before more is added (reservations, keys), and what ends of its sessions, is
 * one call's at a time. It comes before all other rows of the account, as for who deletes it.
 */
export async function lockHolder(sql: Sql, id: string): Promise<boolean> {
  const lock = (table: string) => sql.query(`select 1 from ${table} where id = $1 for no key update`, [id]);
  return (await lock("users")).length > 0 || (await lock("service_accounts")).length > 0;
}
