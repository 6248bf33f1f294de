import { randomBytes } from "node:crypto";

/**
 * A new API key: `kinora_`, eight characters to recognise it by, and 256 random bits. The fixed beginning lets scanners of source code find keys that leaked.
 */
export function createKeySecret(): { secret: string; prefix: string } {
  const prefix = `kinora_${randomBytes(5).toString("hex").slice(0, 8)}`;
  return { secret: `${prefix}_${randomBytes(32).toString("base64url")}`, prefix };
}
