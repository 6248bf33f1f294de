import { createHmac, randomBytes } from "node:crypto";

const prefix = "whsec_";

/** A new secret: 32 random bytes as text, as Standard Webhooks write it. */
export function newWebhookSecret(): string {
  return prefix + randomBytes(32).toString("base64");
}

/**
 * The headers that prove where a message comes from, by each of the secrets (https://github.com/standard-webhooks/standard-webhooks, "Signature scheme":
 * HMAC-SHA256 of `id.timestamp.body`).
 * @param seconds Unix time of this attempt
 */
export function webhookHeaders(
  secrets: readonly string[],
  message: { id: string; seconds: number; body: string },
): Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string> {
  const signed = `${message.id}.${message.seconds}.${message.body}`;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(prefix.length), "base64");
    return `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
  });
  return {
    "webhook-id": message.id,
    "webhook-timestamp": String(message.seconds),
    "webhook-signature": signatures.join(" "),
  };
}
