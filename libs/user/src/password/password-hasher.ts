import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { hash, parseOptions, verify } from "@node-rs/argon2";
import { letEventLoopGoFirst } from "./hashing-threads.ts";
import { normalizePassword } from "./password-policy.ts";
import { createWorkLimit } from "./work-limit.ts";

/** What a hash costs: KiB of memory, passes over it, lanes. */
export type HashCost = { memoryCost: number; timeCost: number; parallelism: number };

/**
 * 64 MiB and three passes: the second of RFC 9106's recommended settings (section 4), with one lane instead of four, as one thread would compute them one after the other. OWASP's
 * Password Storage Cheat Sheet asks for a fifth of that at least.
 */
export const hashCost: HashCost = { memoryCost: 65_536, timeCost: 3, parallelism: 1 };

/** Hashes and checks passwords off the event loop. */
export type PasswordHasher = {
  /** The hash as a PHC string (`$argon2id$…`), with its own salt. */
  hash(password: string, signal: AbortSignal): Promise<string>;
  /** Whether the password has this hash. With `undefined` the answer is no, after the same work as for any other hash. */
  verify(phc: string | undefined, password: string, signal: AbortSignal): Promise<boolean>;
  /** Whether a hash was made with other parameters than today's: the next login is the time to replace it. */
  isOutdated(phc: string): boolean;
};

/** argon2id's number: the package's enum exists only for the compiler. */
const algorithm = 2;

/** Hashes that wait for their turn, about two seconds' worth for one CPU. */
const queued = 40;

/**
 * Hashing runs on Node's thread pool (four threads unless UV_THREADPOOL_SIZE says otherwise), as do file access and name look-up: one thread is left to them, and there are no more hashes at a time
 * than CPUs. `cost` is for tests, which have none to spare.
 */
export function createPasswordHasher(
  limits = { concurrent: Math.min(availableParallelism(), 3), queued },
  cost: HashCost = hashCost,
): PasswordHasher {
  const limit = createWorkLimit(limits);
  const { memoryCost, timeCost, parallelism } = cost;
  const prefix = `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`;
  /** Looks like a hash, costs as much to check, and is of no password that anybody knows. */
  const decoy = `${prefix}${unpadded(randomBytes(16))}$${unpadded(randomBytes(32))}`;

  let first = true;
  /** A hash in its turn. */
  const inTurn = <T>(signal: AbortSignal, work: () => Promise<T>) =>
    limit.run(signal, () => {
      const working = work();
      if (first) letEventLoopGoFirst();
      first = false;
      return working;
    });

  const matches = (phc: string, password: string, signal: AbortSignal) =>
    inTurn(signal, async () => {
      const right = await verify(phc, password, null, signal);
      const saved = right ? undefined : costSaved(phc, cost);
      // Or else a wrong password would be refused sooner where an account is that hasn't been used since hashes cost less.
      if (saved !== undefined) await hash(password, { algorithm, ...saved }, signal);
      return right;
    });
  return {
    hash: (password, signal) => inTurn(signal, () => hash(normalizePassword(password), { algorithm, ...cost }, signal)),
    async verify(phc, password, signal) {
      const composed = normalizePassword(password);
      const known = phc ?? decoy;
      // The first release hashed what was typed, composed or not.
      const right =
        (await matches(known, composed, signal)) || (composed !== password && (await matches(known, password, signal)));
      return right && phc !== undefined;
    },
    isOutdated: (phc) => !phc.startsWith(prefix),
  };
}

/** What a hash cost less than `cost`, as a hash that makes up for it; undefined if it's nothing. The time that Argon2 takes is that of filling its memory, once a pass. */
export function costSaved(phc: string, cost: HashCost): HashCost | undefined {
  const { memoryCost = 0, timeCost = 0, parallelism = 1 } = parseOptions(phc);
  const missing = cost.memoryCost * cost.timeCost - memoryCost * timeCost;
  const saved = Math.floor(missing / cost.timeCost);
  // Argon2's least memory (RFC 9106, 3.1).
  return saved < 8 * parallelism ? undefined : { ...cost, memoryCost: saved };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}
