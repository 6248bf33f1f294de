import { chmod, lchown, lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseError } from "../database-error.ts";
import type { RunAs } from "./run-child.ts";

/** "nobody": Postgres refuses to run as root, and this user exists everywhere. */
const nobody: RunAs = { uid: 65534, gid: 65534 };

/** The user that a new cluster belongs to, when that isn't this process's. */
export function newOwner(uid = process.getuid?.()): RunAs | undefined {
  return uid === 0 ? nobody : undefined;
}

/**
 * The user that an existing cluster's Postgres runs as: its owner. So root can start what an ordinary user began, and the
 * user can go on afterwards. A copy that root made of the files (a restored backup) is given to "nobody" again.
 * @throws {DatabaseError} when this process can neither be nor become the owner
 */
export async function existingOwner(data: string, uid = process.getuid?.()): Promise<RunAs | undefined> {
  const found = await stat(data);
  if (uid !== 0 && found.uid !== uid) {
    throw new DatabaseError(
      `The database in ${data} belongs to another user (${found.uid}). Start Kinora as that user, or set KINORA_DATA to another folder.`,
    );
  }
  if (uid === 0 && found.uid === 0) await giveTo(nobody, data);
  await chmod(data, 0o700); // Postgres insists; copying may have changed it
  if (uid !== 0) return undefined;
  return found.uid === 0 ? nobody : { uid: found.uid, gid: found.gid };
}

/** Makes a file or folder, with all in it, the property of `owner`. */
export async function giveTo(owner: RunAs, path: string): Promise<void> {
  try {
    if ((await lstat(path)).isDirectory()) {
      for (const name of await readdir(path, { recursive: true })) await lchown(join(path, name), owner.uid, owner.gid);
    }
    await lchown(path, owner.uid, owner.gid);
  } catch (error) {
    if (mayNotSwitchUser(error)) throw new DatabaseError(cannotSwitchUser, { cause: error });
    throw error;
  }
}

/** Whether root was kept from becoming, or giving something to, another user: a container without that right, or without that user. */
export function mayNotSwitchUser(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EPERM" || error.code === "EINVAL");
}

export const cannotSwitchUser =
  "Postgres doesn't run as root, and this process may not start it as another user. Start Kinora as an ordinary user, or set DATABASE_URL to a Postgres server.";
