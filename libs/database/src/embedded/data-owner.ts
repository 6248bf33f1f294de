import { chmod, lchown, readdir, stat } from "node:fs/promises";
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

async function giveTo(owner: RunAs, folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) await lchown(join(folder, name), owner.uid, owner.gid);
  await lchown(folder, owner.uid, owner.gid);
}
