import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { hash, verify } from "@node-rs/argon2";
import { normalizePassword } from "./password-policy.ts";
import { createWorkLimit } from "./work-limit.ts";

/**
 * Argon2id at 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet, the setting with the least memory).
 * The algorithm's number is argon2id's: the package's enum exists only for the compiler.
 */
const parameters = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Hashes and checks passwords off the event loop. */
export type PasswordHasher = {
  /** The hash as a PHC string (`$argon2id$…`), with its own salt. */
  hash(password: string, signal: AbortSignal): Promise<string>;
  /** Whether the password has this hash. With `undefined` the answer is no, after the same work as for any other hash. */
  verify(phc: string | undefined, password: string, signal: AbortSignal): Promise<boolean>;
  /** Whether a hash was made with other parameters than today's: the next login is the time to replace it. */
  isOutdated(phc: string): boolean;
};

const prefix = `$argon2id$v=19$m=${parameters.memoryCost},t=${parameters.timeCost},p=${parameters.parallelism}$`;

/** Looks like a hash, costs as much to check, and is of no password that anybody knows. */
const decoy = `${prefix}${unpadded(randomBytes(16))}$${unpadded(randomBytes(32))}`;

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}

/**
 * Hashing runs on Node's thread pool (four threads unless UV_THREADPOOL_SIZE says otherwise), as do file access and name look-up:
 * one thread is left to them, and there are no more hashes at a time than CPUs. 100 more wait, about two seconds' worth for one CPU.
 */
export function createPasswordHasher(
  limits = { concurrent: Math.min(availableParallelism(), 3), queued: 100 },
): PasswordHasher {
  const limit = createWorkLimit(limits);
  return {
    hash: (password, signal) => limit.run(signal, () => hash(normalizePassword(password), parameters, signal)),
    async verify(phc, password, signal) {
      const composed = normalizePassword(password);
      const matches = (text: string) => limit.run(signal, () => verify(phc ?? decoy, text, null, signal));
      // The first release hashed what was typed, composed or not.
      const right = (await matches(composed)) || (composed !== password && (await matches(password)));
      return right && phc !== undefined;
    },
    isOutdated: (phc) => !phc.startsWith(prefix),
  };
}
