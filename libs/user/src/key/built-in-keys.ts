import { randomUUID } from "node:crypto";
import type { Logger } from "@kinora/rpc";
import { type LocalCredential, readLocalCredential } from "@kinora/service";
import { recordEvent } from "../audit/audit.store.ts";
import type { Store } from "../store/store.ts";
import { audiencesOf } from "../token/scopes.ts";
import { hashKey } from "./api-key.ts";
import { scopesOfKind } from "./grant.ts";
import { findServiceAccountByName, insertKeyUnlessThere, insertServiceAccountUnlessThere } from "./key.store.ts";
import type { ServiceAccountKind } from "./service-account.ts";

/** API keys of the installation's own processes, as whoever runs it has set them. */
export type ConfiguredKeys = { encoder?: string | undefined; worker?: string | undefined };

/** A service account that an installation has by itself, as soon as its key is used. */
export type BuiltInAccount = {
  name: string;
  kind: Exclude<ServiceAccountKind, "program">;
  /** The service that it calls, and the only one that its tokens can be for. */
  audience: string;
  setting: keyof ConfiguredKeys;
  /** Where its key is if none is set. */
  file: LocalCredential;
};

export const builtInAccounts: readonly BuiltInAccount[] = [
  { name: "kinora-encoder", kind: "service", audience: "user", setting: "encoder", file: "encoder-key" },
  { name: "kinora-worker", kind: "worker", audience: "encoder", setting: "worker", file: "worker-key" },
];

/** What a built-in account may do: what its kind can do at the service that it calls, by this release's contracts and not by those of when it was made. */
export function scopesOfBuiltIn({ kind, audience }: BuiltInAccount): string[] {
  return scopesOfKind(kind).filter((scope) => audiencesOf([scope]).includes(audience));
}

/** Stands for the beginning of a key that the installation has set, which needn't have the form of those made here. */
export const builtInPrefix = "";

/** The keys that the encoder and the workers need to begin with, before anybody could have made them by `CreateKey`. */
export type BuiltInKeys = {
  /** Whose key this is; undefined if it is set nowhere. */
  find(secretHash: Buffer): Promise<BuiltInAccount | undefined>;
  /** Makes the account and its key as `CreateServiceAccount` and `CreateKey` would, unless they are there. */
  register(account: BuiltInAccount, secretHash: Buffer, signal: AbortSignal): Promise<void>;
};

/**
 * What isn't set is looked for in the data folder, where the encoder and the workers of this machine leave the keys that they make (mode 0600), each time that a key is shown which
 * the database doesn't know: it costs less than that question did, and it doesn't matter who starts first. Nothing is written
 * until such a key is exchanged for the first time, so a start costs nothing, and no replica registers a key that nobody has.
 */
export function createBuiltInKeys(deps: {
  store: Store;
  logger: Logger;
  dataDir: string;
  configured: ConfiguredKeys;
  now: () => Date;
}): BuiltInKeys {
  const { store, logger, dataDir, configured, now } = deps;

  async function fromFile({ file }: BuiltInAccount): Promise<string | undefined> {
    try {
      return await readLocalCredential(dataDir, file);
    } catch (error) {
      logger.warn({ err: error }, "an API key of this installation can't be read");
      return undefined;
    }
  }

  return {
    async find(secretHash) {
      for (const account of builtInAccounts) {
        const secret = configured[account.setting] ?? (await fromFile(account));
        // No secret is compared here, only the hash of one.
        if (secret !== undefined && hashKey(secret).equals(secretHash)) return account;
      }
      return undefined;
    },
    async register(builtIn, secretHash, signal) {
      const { name, kind } = builtIn;
      const time = now();
      const scopes = scopesOfBuiltIn(builtIn);
      await store.transaction(signal, async (tx) => {
        const origin = { address: "", device: "" };
        const made = { id: randomUUID(), name, kind, scopes, createTime: time, disableTime: null };
        if (await insertServiceAccountUnlessThere(tx, made)) {
          const details = { serviceAccountId: made.id, name, kind };
          await recordEvent(tx, { type: "service_account.created", origin, time, details });
        }
        const account = await findServiceAccountByName(tx, name);
        if (account?.kind !== kind) {
          logger.error(
            { name, kind },
            "a service account of another kind has the name of one that Kinora needs: delete it",
          );
          return;
        }
        const key = {
          id: randomUUID(),
          userId: null,
          serviceAccountId: account.id,
          name: "built-in",
          prefix: builtInPrefix,
          scopes,
          createTime: time,
          expireTime: null,
          lastUseTime: null,
        };
        if (await insertKeyUnlessThere(tx, key, secretHash)) {
          const details = { keyId: key.id, scopes: scopes.join(" ") };
          await recordEvent(tx, { type: "key.created", userId: account.id, origin, time, details });
        }
      });
    },
  };
}
