import { createHash } from "node:crypto";

/** An API key of an account, or of a service account. */
export type ApiKey = {
  id: string;
  userId: string | null;
  serviceAccountId: string | null;
  name: string;
  prefix: string;
  scopes: readonly string[];
  createTime: Date;
  expireTime: Date | null;
  lastUseTime: Date | null;
};

/** Keys that one account may have. */
export const maxKeys = 100;

/** What the database keeps of a key. Plain SHA-256 is enough, as nobody can search 2^256 keys. */
export function hashKey(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
