import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Logger } from "@kinora/rpc";
import type { Seal } from "@kinora/service";
import { type KeySource, type PublicJwk, tokenAlgorithm, tokenIssuer } from "@kinora/service";
import type { Sql, Store } from "../store/store.ts";
import { type KeyTimes, missingKey, publishMs, retireMs, signingKeyOf, signingMs } from "./key-schedule.ts";
import {
  deleteLegacyKeys,
  deleteRetiredKeys,
  insertSigningKey,
  type LegacySigningKey,
  listLegacyKeys,
  listSigningKeys,
  lockSigningKeys,
  type StoredSigningKey,
} from "./signing-keys.store.ts";

/** The keys of access tokens: one to sign with, and all public ones to verify with. */
export type SigningKeys = KeySource & {
  /** The key to sign with at this moment. */
  current(): Promise<{ kid: string; privateKey: KeyObject }>;
  /** What /.well-known/jwks.json answers (RFC 7517). */
  jwks(): { keys: PublicJwk[] };
  /** Reads the keys again, and makes the next one when it is time to. */
  refresh(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
};

/** `privateKey` isn't there for a key that was sealed with another secret. */
type Key = KeyTimes & { kid: string; x: string; publicKey: KeyObject; privateKey: KeyObject | undefined };

/** Replicas look at the keys this often, in milliseconds, so that one learns of another's key long before that signs. */
const refreshMs = 60_000;
/** A key that isn't known is looked for at most this often, in milliseconds. */
const cooldownMs = 2_000;
type Deps = {
  store: Store;
  seal: Seal;
  logger: Logger;
  now: () => Date;
  /** The issuer of access tokens. */
  issuer: () => string;
};

/**
 * Loads the keys from the database, and makes those that are missing. All replicas sign with the same key, because which one that is follows from the rows and the time alone (key-schedule.ts). A
 * replica that doesn't share the others' secret can't open their keys and signs with keys of its own, which all the others publish as well.
 */
export async function loadSigningKeys(deps: Deps, signal: AbortSignal): Promise<SigningKeys> {
  const { store, seal, logger, now } = deps;
  let keys: Key[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  async function read(sql: Sql): Promise<Key[]> {
    const own = (await listSigningKeys(sql)).map((stored) => openKey(seal, stored));
    const first = Math.min(...own.map(({ activateTime }) => activateTime.getTime()), now().getTime() + publishMs);
    return [...own, ...(await listLegacyKeys(sql)).map((stored) => openLegacyKey(stored, new Date(first + retireMs)))];
  }

  const live = (all: readonly Key[]) => all.filter(({ retireTime }) => retireTime > now());
  /** The times of a key that has to be made. */
  const missing = (all: readonly Key[]) =>
    missingKey(
      live(all).filter(({ privateKey }) => privateKey !== undefined),
      now(),
    );

  async function look(signal: AbortSignal): Promise<void> {
    let found = await read(store.on(signal));
    if (missing(found) !== undefined || live(found).length < found.length) {
      found = await store.transaction(signal, tend);
    }
    keys = live(found);
  }

  /** Makes what is missing and removes what has retired. */
  async function tend(tx: Sql): Promise<Key[]> {
    await lockSigningKeys(tx);
    const all = await read(tx);
    for (let times = missing(all); times !== undefined; times = missing(all)) {
      const made = makeKey(seal, times);
      await insertSigningKey(tx, made);
      all.push(openKey(seal, made));
      logger.info({ kid: made.kid, activeFrom: made.activateTime }, "made a key to sign access tokens with");
    }
    await deleteRetiredKeys(tx, now());
    await deleteLegacyKeys(
      tx,
      all.filter(({ retireTime }) => retireTime <= now()).map(({ kid }) => kid),
    );
    return all;
  }

  /** One look at a time, for all who want to know. */
  function refresh(signal: AbortSignal): Promise<void> {
    looking ??= look(signal).finally(() => {
      looking = undefined;
    });
    return looking;
  }

  await refresh(signal);
  const end = new AbortController();
  const timer = setInterval(() => {
    refresh(AbortSignal.any([end.signal, AbortSignal.timeout(30_000)])).catch((error: unknown) => {
      if (!end.signal.aborted) logger.warn({ err: error }, "couldn't look at the signing keys; will try again");
    });
  }, refreshMs);
  timer.unref();

  const signer = () =>
    signingKeyOf(
      keys.filter(({ privateKey }) => privateKey !== undefined),
      now(),
    );
  const known = (kid: string) => keys.find((key) => key.kid === kid)?.publicKey;
  return {
    known,
    async find(kid) {
      // Another replica may have made it a moment ago.
      if (performance.now() - lookedAt < cooldownMs) return known(kid);
      lookedAt = performance.now();
      await refresh(AbortSignal.any([end.signal, AbortSignal.timeout(5_000)]));
      return known(kid);
    },
    issuers: () => new Set([tokenIssuer, deps.issuer()]),
    async current() {
      // A machine that slept through the minutes in which it should have looked does so now.
      if (signer() === undefined) await refresh(AbortSignal.any([end.signal, AbortSignal.timeout(5_000)]));
      const key = signer();
      if (key?.privateKey === undefined) throw new Error("there is no key to sign access tokens with");
      return { kid: key.kid, privateKey: key.privateKey };
    },
    jwks: () => ({ keys: live(keys).map(toJwk) }),
    refresh,
    async close() {
      clearInterval(timer);
      end.abort();
      await looking?.catch(() => {});
    },
  };
}

function makeKey(seal: Seal, times: KeyTimes): StoredSigningKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  // The thumbprint (RFC 7638) names the key by its content, so that a name never stands for two keys.
  const kid = thumbprintOf(x);
  return { kid, x, sealed: seal.seal(kid, privateKey.export({ format: "der", type: "pkcs8" })), ...times };
}

/** The thumbprint of an Ed25519 key: its required members, in order (RFC 7638, 3; RFC 8037, 2). */
function thumbprintOf(x: string): string {
  return createHash("sha256")
    .update(JSON.stringify({ crv: "Ed25519", kty: "OKP", x }))
    .digest("base64url");
}

function openKey(seal: Seal, stored: StoredSigningKey): Key {
  const { kid, x, sealed, createTime, activateTime, retireTime } = stored;
  const der = seal.open(kid, sealed);
  const privateKey = der && createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return { kid, x, publicKey, privateKey, createTime, activateTime, retireTime };
}

/** A key of a release before 0.2: due for replacement from the first, and public until `retireTime`. */
function openLegacyKey({ kid, privateJwk: { x, d }, createTime }: LegacySigningKey, retireTime: Date): Key {
  const privateKey = createPrivateKey({ key: { kty: "OKP", crv: "Ed25519", x, d }, format: "jwk" });
  const activateTime = new Date(createTime.getTime() - signingMs);
  return { kid, x, publicKey: createPublicKey(privateKey), privateKey, createTime, activateTime, retireTime };
}

function toJwk({ kid, x }: Key): PublicJwk {
  return { kty: "OKP", crv: "Ed25519", x, kid, use: "sig", alg: tokenAlgorithm };
}
