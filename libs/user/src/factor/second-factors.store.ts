import type { SecondFactor } from "../check/assurance.ts";
import type { Sql } from "../store/store.ts";

/** The second factors that an account has turned on, as a column of a statement over `users`. */
export const enrolledColumn = `array_remove(array[
    case when exists (select from totp_factors where user_id = users.id and secret is not null) then 'totp' end,
    case when exists (select from passkeys where user_id = users.id) then 'passkey' end], null) as enrolled`;

/** The second factors that an account has turned on. */
export async function enrolledFactors(sql: Sql, userId: string): Promise<SecondFactor[]> {
  const [row] = await sql.query<{ enrolled: SecondFactor[] }>(`select ${enrolledColumn} from users where id = $1`, [
    userId,
  ]);
  return row?.enrolled ?? [];
}
