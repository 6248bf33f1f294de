import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const ivBytes = 12;
const tagBytes = 16;

/** Seals bytes with a secret, so that who reads the database can't use what is in it: AES-256-GCM, bound to a name. */
export type Seal = {
  seal(name: string, content: Uint8Array): Buffer;
  /** The content; undefined if it was sealed with another secret, under another name, or has been changed. */
  open(name: string, sealed: Uint8Array): Buffer | undefined;
};

/** A seal whose key is derived from the secret (HKDF, RFC 5869) for this purpose alone. */
export function createSeal(secret: string, purpose: string): Seal {
  const key = Buffer.from(hkdfSync("sha256", secret, "", `kinora ${purpose}`, 32));
  return {
    seal(name, content) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(name));
      const body = Buffer.concat([cipher.update(content), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]);
    },
    open(name, sealed) {
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, ivBytes));
        decipher.setAAD(Buffer.from(name)).setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes));
        return Buffer.concat([decipher.update(sealed.subarray(ivBytes + tagBytes)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
  };
}
