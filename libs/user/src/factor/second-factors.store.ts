import type { SecondFactor } from "../check/assurance.ts";
import type { Sql } from "../store/store.ts";

/** The second factors that an account has turned on. */
export async function enrolledFactors(sql: Sql, userId: string): Promise<SecondFactor[]> {
  const [row] = await sql.query<{ totp: boolean; passkey: boolean }>(
    `select exists (select from totp_factors where user_id = $1 and secret is not null) as totp,
            exists (select from passkeys where user_id = $1) as passkey`,
    [userId],
  );
  return [...(row?.totp ? ["totp" as const] : []), ...(row?.passkey ? ["passkey" as const] : [])];
}
