import type { KeyObject } from "node:crypto";
import { DomainError } from "@kinora/rpc";
import { getJson } from "../get-json.ts";
import { tokenIssuer } from "./access-token.ts";
import { type KeptKeys, keepKeys, readKeptKeys } from "./kept-keys.ts";
import { type KeySource, readKeySet } from "./key-source.ts";

/** How the user service is asked for its keys; times in milliseconds. */
export type RemoteKeysOptions = {
  /** Asks again this long after the last answer. */
  refreshMs?: number;
  /** A key that isn't among them makes us ask at most this often. */
  cooldownMs?: number;
  timeoutMs?: number;
  /** Where the last answer is kept, so that a process that starts while the user service is away knows its keys; nowhere if not given. */
  file?: string;
  now?: () => number;
};

/** The user service's public keys. `close` stops asking for them. */
export type RemoteKeys = KeySource & { close(): void };

/**
 * The user service's public keys, from its `/.well-known/jwks.json`, and its issuer, from `/.well-known/openid-configuration`. Asked for at once, then every 5 minutes in the
 * background, and when a token names a key that isn't among them (at most every 10 s, and once for all that wait). Keys once fetched serve on while the user service is away; one that it
 * no longer publishes is forgotten. Until the first answer, those count that an earlier process was given within a day, if it kept them in `file`.
 */
export function remoteKeys(userUrl: string, options: RemoteKeysOptions = {}): RemoteKeys {
  const { refreshMs = 5 * 60_000, cooldownMs = 10_000, timeoutMs = 5_000, now = () => performance.now() } = options;
  const base = userUrl.replace(/\/+$/, "");
  const end = new AbortController();
  let keys: ReadonlyMap<string, KeyObject> = new Map();
  let issuers: ReadonlySet<string> = new Set([tokenIssuer]);
  let asking: Promise<void> | undefined;
  let answeredAt = Number.NEGATIVE_INFINITY;

  async function ask(): Promise<void> {
    const signal = AbortSignal.any([end.signal, AbortSignal.timeout(timeoutMs)]);
    const [set, configuration] = await Promise.all([
      getJson(`${base}/.well-known/jwks.json`, signal),
      // A user service before 0.2 has none.
      getJson(`${base}/.well-known/openid-configuration`, signal).catch(() => undefined),
    ]);
    if (!take({ set, configuration })) {
      throw new Error("the answer isn't a key set");
    }
    answeredAt = now();
    if (options.file !== undefined) {
      // Without it, the next process has to wait for the user service: no reason for this one to stop.
      await keepKeys(options.file, { set, configuration }).catch(() => {});
    }
  }

  /** False if it isn't a key set. */
  function take({ set, configuration }: KeptKeys): boolean {
    const read = readKeySet(set);
    if (read === undefined) {
      return false;
    }
    keys = read;
    const issuer = issuerOf(configuration);
    if (issuer !== undefined) {
      issuers = new Set([tokenIssuer, issuer]);
    }
    return true;
  }

  async function recall(file: string): Promise<void> {
    const kept = await readKeptKeys(file);
    if (kept !== undefined && answeredAt === Number.NEGATIVE_INFINITY) {
      take(kept);
    }
  }

  /** One question at a time, for all who want to know. */
  function refresh(): Promise<void> {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  }

  const quietly = () => void refresh().catch(() => {});
  const timer = setInterval(quietly, refreshMs);
  timer.unref();
  quietly();
  const recalling = options.file === undefined ? undefined : recall(options.file);

  return {
    known: (kid) => keys.get(kid),
    async find(kid) {
      await recalling;
      if (keys.has(kid)) {
        return keys.get(kid);
      }
      if (asking === undefined && now() - answeredAt < cooldownMs) {
        return undefined;
      }
      try {
        await refresh();
      } catch (error) {
        // A key set that can't be had says nothing about the token.
        throw new DomainError("unavailable", "the user service can't be asked for its keys now; try again soon", {
          cause: error,
          retryAfterSeconds: 2,
        });
      }
      return keys.get(kid);
    },
    issuers: () => issuers,
    close() {
      clearInterval(timer);
      end.abort();
    },
  };
}

function issuerOf(configuration: unknown): string | undefined {
  const issuer =
    typeof configuration === "object" && configuration !== null && "issuer" in configuration
      ? configuration.issuer
      : undefined;
  return typeof issuer === "string" && issuer !== "" ? issuer : undefined;
}
