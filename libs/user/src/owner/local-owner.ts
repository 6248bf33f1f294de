import { randomBytes, randomUUID } from "node:crypto";
import { access, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Logger } from "@kinora/rpc";
import { findOwner, insertAccount, lockSignUp } from "../account/account.store.ts";
import { emailKey } from "../account/email.ts";
import type { PasswordHasher } from "../password/password-hasher.ts";
import type { Store, Transaction } from "../store/store.ts";

/** What the owner logs in with, as it stands in `<dataDir>/credentials/owner.json`. */
export type OwnerCredential = { email: string; password: string };

const ownerEmail = "owner@localhost";

/**
 * Makes the installation's owner account if there is none, and leaves its credential where only the user who started this process can
 * read it. The file is written before the account is committed: after a crash between the two there is a file without an account,
 * which the next start replaces, but never an owner whose password nobody knows.
 */
export async function ensureLocalOwner(
  deps: { store: Store; passwords: PasswordHasher; logger: Logger; dataDir: string; now: () => Date },
  signal: AbortSignal,
): Promise<void> {
  const { store, passwords, logger, dataDir, now } = deps;
  const file = join(dataDir, "credentials", "owner.json");
  const password = randomBytes(24).toString("base64url");
  const make = async (tx: Transaction) => {
    await lockSignUp(tx);
    const owner = await findOwner(tx);
    if (owner !== undefined) return owner;
    const passwordHash = await passwords.hash(password, signal);
    const time = now();
    await insertAccount(tx, {
      id: randomUUID(),
      email: ownerEmail,
      emailKey: emailKey(ownerEmail),
      name: "Owner",
      birthDate: "",
      passwordHash,
      role: "owner",
      createTime: time,
      updateTime: time,
      emailVerifyTime: null,
      disableTime: null,
    });
    await writePrivately(file, { email: ownerEmail, password });
    return undefined;
  };
  const existing = (await findOwner(store.on(signal))) ?? (await store.transaction(signal, make));
  if (existing === undefined) {
    logger.info(
      { email: ownerEmail, file },
      "made the owner account of this installation; its credential is in the file",
    );
  } else if (!(await exists(file))) {
    logger.info(
      { email: existing.email, file },
      "this installation has an owner but no credential file here: log in as the owner with `kinora login`, or restore the file from a backup",
    );
  }
}

/** Writes the file so that it is there whole or not at all, also after a loss of power, and readable by its owner alone. */
async function writePrivately(file: string, credential: OwnerCredential): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  try {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(credential)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
