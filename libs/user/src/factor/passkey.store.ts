import type { Sql } from "../store/store.ts";

/** A registered passkey. */
export type StoredPasskey = {
  id: string;
  userId: string;
  /** Base64url, as WebAuthn's JSON has it. */
  credentialId: string;
  /** COSE. */
  publicKey: Buffer;
  signatureCount: number;
  transports: string[];
  synced: boolean;
  name: string;
  createTime: Date;
  lastUseTime: Date | null;
};

const columns = `id, user_id as "userId", credential_id as "credentialId", public_key as "publicKey",
  signature_count::float8 as "signatureCount", transports, synced, name, create_time as "createTime", last_use_time as "lastUseTime"`;

/** Adds a passkey. Breaks constraint `passkeys_credential_id_key` if somebody has registered it before. */
export async function insertPasskey(sql: Sql, passkey: StoredPasskey): Promise<void> {
  await sql.query(
    `insert into passkeys (id, user_id, credential_id, public_key, signature_count, transports, synced, name, create_time)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      passkey.id,
      passkey.userId,
      passkey.credentialId,
      passkey.publicKey,
      passkey.signatureCount,
      passkey.transports,
      passkey.synced,
      passkey.name,
      passkey.createTime,
    ],
  );
}

export async function findPasskey(sql: Sql, credentialId: string): Promise<StoredPasskey | undefined> {
  const [found] = await sql.query<StoredPasskey>(`select ${columns} from passkeys where credential_id = $1`, [
    credentialId,
  ]);
  return found;
}

/** A user's passkeys, oldest first. */
export async function listPasskeys(sql: Sql, userId: string): Promise<StoredPasskey[]> {
  return await sql.query<StoredPasskey>(`select ${columns} from passkeys where user_id = $1 order by create_time, id`, [
    userId,
  ]);
}

/** Notes a use. False if the passkey is gone or another use has raised its count meanwhile. */
export async function usePasskey(
  sql: Sql,
  use: { id: string; countBefore: number; count: number; synced: boolean; now: Date },
): Promise<boolean> {
  const used = await sql.query(
    `update passkeys set signature_count = $3, synced = $4, last_use_time = $5
     where id = $1 and signature_count = $2 returning id`,
    [use.id, use.countBefore, use.count, use.synced, use.now],
  );
  return used.length > 0;
}

export async function renamePasskey(
  sql: Sql,
  userId: string,
  id: string,
  name: string,
): Promise<StoredPasskey | undefined> {
  const [renamed] = await sql.query<StoredPasskey>(
    `update passkeys set name = $3 where id = $1 and user_id = $2 returning ${columns}`,
    [id, userId, name],
  );
  return renamed;
}

/** Whether there was one. */
export async function deletePasskey(sql: Sql, userId: string, id: string): Promise<boolean> {
  return (await sql.query("delete from passkeys where id = $1 and user_id = $2 returning id", [id, userId])).length > 0;
}

/** What a challenge is for, and for whom, if that is known. */
export type PasskeyChallenge = {
  id: string;
  purpose: "register" | "login";
  userId: string | undefined;
  challenge: string;
  expireTime: Date;
};

export async function insertChallenge(sql: Sql, challenge: PasskeyChallenge): Promise<void> {
  await sql.query(
    "insert into passkey_challenges (id, purpose, user_id, challenge, expire_time) values ($1, $2, $3, $4, $5)",
    [challenge.id, challenge.purpose, challenge.userId ?? null, challenge.challenge, challenge.expireTime],
  );
}

/** Uses a challenge up, whatever comes of it: exactly one caller gets it. */
export async function takeChallenge(
  sql: Sql,
  taken: { id: string; purpose: PasskeyChallenge["purpose"]; userId: string | undefined; now: Date },
): Promise<string | undefined> {
  const [found] = await sql.query<{ challenge: string }>(
    `delete from passkey_challenges
     where id = $1 and purpose = $2 and user_id is not distinct from $3 and expire_time > $4 returning challenge`,
    [taken.id, taken.purpose, taken.userId ?? null, taken.now],
  );
  return found?.challenge;
}

export async function deleteExpiredChallenges(sql: Sql, now: Date): Promise<void> {
  await sql.query("delete from passkey_challenges where expire_time <= $1", [now]);
}

/** Whether there is such a passkey and it is this account's. */
export async function ownsPasskey(sql: Sql, userId: string, id: string): Promise<boolean> {
  return (await sql.query("select 1 from passkeys where id = $1 and user_id = $2", [id, userId])).length > 0;
}
