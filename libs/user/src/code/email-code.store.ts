import type { CodePurpose } from "../mail/letters.ts";
import type { Sql } from "../store/store.ts";

/** Wrong guesses that a short code bears (ASVS 6.6.3). */
export const maxGuesses = 5;

/** A code that was asked for. */
export type EmailCode = {
  id: string;
  purpose: CodePurpose;
  userId: string | null;
  email: string;
  emailKey: string;
  genuine: boolean;
  /** What its use needs to know, such as the name for a sign-up. */
  details: Record<string, string>;
  createTime: Date;
  expireTime: Date;
};

const columns = `id, purpose, user_id as "userId", email, email_key as "emailKey", genuine, details, create_time as "createTime",
  expire_time as "expireTime"`;

export async function insertCode(sql: Sql, code: EmailCode): Promise<void> {
  await sql.query(
    `insert into email_codes (id, purpose, user_id, email, email_key, genuine, details, create_time, expire_time)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      code.id,
      code.purpose,
      code.userId,
      code.email,
      code.emailKey,
      code.genuine,
      code.details,
      code.createTime,
      code.expireTime,
    ],
  );
}

/** Keeps the hash of the code that is about to be sent; only the newest one works. */
export async function sealCode(sql: Sql, id: string, hash: string): Promise<void> {
  await sql.query("update email_codes set code_hash = $2 where id = $1", [id, hash]);
}

/**
 * Counts a guess before it is looked at, so that guesses at the same moment can't exceed the limit together. Undefined if there is nothing to guess at (any more).
 */
export async function countGuess(
  sql: Sql,
  guess: { id: string; purpose: CodePurpose; now: Date },
): Promise<(EmailCode & { codeHash: string | null }) | undefined> {
  const [found] = await sql.query<EmailCode & { codeHash: string | null }>(
    `update email_codes set guesses = guesses + 1
     where id = $1 and purpose = $2 and expire_time > $3 and guesses < $4 returning ${columns}, code_hash as "codeHash"`,
    [guess.id, guess.purpose, guess.now, maxGuesses],
  );
  return found;
}

/**
 * Keeps everybody else from using a code for this address, and from making an account of it, until the transaction ends; likewise whoever changes the account. To be taken before the
 * code's own row: what ends several codes, as a new password or a deleted account does, holds the account first.
 */
export async function lockCodesOf(
  sql: Sql,
  { emailKey, userId }: Pick<EmailCode, "emailKey" | "userId">,
): Promise<void> {
  await lockAddress(sql, emailKey);
  if (userId !== null) await sql.query("select 1 from users where id = $1 for update", [userId]);
}

/** Keeps everybody else from inviting, and making an account of, this address until the transaction ends. */
export async function lockAddress(sql: Sql, emailKey: string): Promise<void> {
  await sql.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`address ${emailKey}`]);
}

/** Uses a code up: true for exactly one of those who show it, and only for the code that was guessed at. */
export async function takeCode(sql: Sql, id: string, codeHash: string): Promise<boolean> {
  const taken = await sql.query("delete from email_codes where id = $1 and code_hash = $2 returning id", [
    id,
    codeHash,
  ]);
  return taken.length > 0;
}

/** Ends all codes of a user for a purpose. */
export async function deleteCodes(sql: Sql, userId: string, purpose: CodePurpose): Promise<void> {
  await sql.query("delete from email_codes where user_id = $1 and purpose = $2", [userId, purpose]);
}

export async function deleteExpiredCodes(sql: Sql, now: Date): Promise<void> {
  await sql.query("delete from email_codes where expire_time <= $1", [now]);
}

/** Invitations that are still open, newest first. */
export async function listInvitations(sql: Sql, now: Date): Promise<EmailCode[]> {
  return await sql.query<EmailCode>(
    `select ${columns} from email_codes where purpose = 'invitation' and expire_time > $1 order by create_time desc, id limit 1000`,
    [now],
  );
}

export async function deleteInvitation(sql: Sql, id: string): Promise<EmailCode | undefined> {
  const [gone] = await sql.query<EmailCode>(
    `delete from email_codes where id = $1 and purpose = 'invitation' returning ${columns}`,
    [id],
  );
  return gone;
}

/** Ends the invitation of an address, if it has one. */
export async function deleteInvitationOf(sql: Sql, emailKey: string): Promise<void> {
  await sql.query("delete from email_codes where email_key = $1 and purpose = 'invitation'", [emailKey]);
}
