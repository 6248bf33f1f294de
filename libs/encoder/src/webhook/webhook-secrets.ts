import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@kinora/rpc";
import type { Seal } from "@kinora/service";
import type { Db } from "../store/db.ts";
import { listPlainSecrets, sealSecret } from "../store/webhook.store.ts";

/** Begins a secret that is sealed; one of a webhook begins with `whsec_`. */
export const sealedPrefix = "sealed:";

/** Secrets of webhooks between their use and the database. */
export type WebhookSecrets = {
  /** As the database keeps it. */
  toStored(webhookId: string, secret: string): string;
  /** As it is used; undefined if it was sealed with another key. */
  fromStored(webhookId: string, stored: string): string | undefined;
};

/**
 * With a seal, new secrets are sealed, each bound to its webhook. What isn't sealed is read as it is: it comes from before there was a seal. Encoders before 0.2 can't open sealed ones, so where
 * several run, there is to be a seal only when all of them are newer (docs/operating.md).
 */
export function createWebhookSecrets(seal: Seal | undefined): WebhookSecrets {
  return {
    toStored(webhookId, secret) {
      if (seal === undefined) return secret;
      return sealedPrefix + seal.seal(webhookId, Buffer.from(secret)).toString("base64");
    },
    fromStored(webhookId, stored) {
      if (!stored.startsWith(sealedPrefix)) return stored;
      return seal?.open(webhookId, Buffer.from(stored.slice(sealedPrefix.length), "base64"))?.toString();
    },
  };
}

const hourMs = 3_600_000;
const batch = 100;

/** Seals what is there already, at the start and every hour (another replica may have no seal yet), until the signal aborts. */
export async function sealStoredSecrets(
  { db, logger }: { db: Db; logger: Logger },
  secrets: WebhookSecrets,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for (let found = batch; found === batch && !signal.aborted; ) {
        const rows = await listPlainSecrets(db, sealedPrefix, batch);
        for (const { id, secret, oldSecret } of rows) {
          const stored = (plain: string) => (plain.startsWith(sealedPrefix) ? plain : secrets.toStored(id, plain));
          await sealSecret(db, id, { secret, oldSecret }, stored(secret), oldSecret && stored(oldSecret));
        }
        found = rows.length;
      }
    } catch (error) {
      if (!signal.aborted)
        logger.warn({ err: error }, "secrets of webhooks couldn't be sealed; trying again in an hour");
    }
    await sleep(hourMs, undefined, { signal }).catch(() => {});
  }
}
