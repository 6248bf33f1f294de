import type { Sql } from "../store/store.ts";

/** A user's authenticator app: the sealed secret of the one that is on, and of one that waits for its confirmation. */
export type StoredTotp = { secret: Buffer | null; pendingSecret: Buffer | null; lastStep: number };

export async function findTotp(sql: Sql, userId: string): Promise<StoredTotp | undefined> {
  const [found] = await sql.query<StoredTotp>(
    `select secret, pending_secret as "pendingSecret", last_step::float8 as "lastStep" from totp_factors where user_id = $1`,
    [userId],
  );
  return found;
}

export async function putPendingTotp(sql: Sql, userId: string, secret: Buffer): Promise<void> {
  await sql.query(
    `insert into totp_factors (user_id, pending_secret) values ($1, $2)
     on conflict (user_id) do update set pending_secret = $2`,
    [userId, secret],
  );
}

/** Turns the waiting secret on; its code of `step` is used with that. False if another call was faster. */
export async function confirmTotp(
  sql: Sql,
  confirmation: { userId: string; secret: Buffer; step: number; now: Date },
): Promise<boolean> {
  const { userId, secret, step, now } = confirmation;
  const confirmed = await sql.query(
    `update totp_factors set secret = pending_secret, pending_secret = null, confirm_time = $4, last_step = $3
     where user_id = $1 and pending_secret = $2 returning user_id`,
    [userId, secret, step, now],
  );
  return confirmed.length > 0;
}

/** Uses the code of a time step up: true for exactly one of those who show it, and never for a step before one that was used. */
export async function useTotpStep(sql: Sql, userId: string, secret: Buffer, step: number): Promise<boolean> {
  const used = await sql.query(
    "update totp_factors set last_step = $3 where user_id = $1 and secret = $2 and last_step < $3 returning user_id",
    [userId, secret, step],
  );
  return used.length > 0;
}

/** Turns it off. Whether it was on. */
export async function deleteTotp(sql: Sql, userId: string): Promise<boolean> {
  const [gone] = await sql.query<{ on: boolean }>(
    `delete from totp_factors where user_id = $1 returning secret is not null as "on"`,
    [userId],
  );
  return gone?.on ?? false;
}
