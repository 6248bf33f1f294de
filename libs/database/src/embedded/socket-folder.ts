import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { giveTo } from "./data-owner.ts";
import type { RunAs } from "./run-child.ts";

/** A folder for the server's socket. */
export type SocketFolder = { path: string; remove(): Promise<void> };

const longest = 103 - "/.s.PGSQL.5432".length; // bytes; macOS allows 103, Linux 107 (unix(7))

/**
 * Makes an empty folder for the server's socket, which only `runAs` (or this user) may enter.
 *
 * With /proc its path can be as long as it likes, so it is in the cluster's own folder. Elsewhere it is a new folder
 * with a random name in the temporary folder: nobody can have made that before us. Its name is noted, so that the next
 * start removes it if this process doesn't get to it.
 */
export async function makeSocketFolder(
  clusterFolder: string,
  runAs: RunAs | undefined,
  proc: boolean,
): Promise<SocketFolder> {
  const note = join(clusterFolder, "socket-folder");
  const former = await readFile(note, "utf8").catch(() => undefined);
  if (former && isOurs(former)) await rm(former, { recursive: true, force: true });
  await rm(note, { force: true });

  const own = join(clusterFolder, "socket");
  await rm(own, { recursive: true, force: true });
  if (proc) {
    await mkdir(own, { mode: 0o700 });
    if (runAs) await giveTo(runAs, own);
    return { path: own, remove: () => rm(own, { recursive: true, force: true }) };
  }

  const parent = Buffer.byteLength(join(tmpdir(), prefix)) + 6 > longest ? "/tmp" : tmpdir();
  const path = await mkdtemp(join(parent, prefix));
  await writeFile(note, path, { mode: 0o600 });
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true });
      await rm(note, { force: true });
    },
  };
}

const prefix = "kinora-socket-";

/** The note is ours, but removing a folder by a name from a file deserves a second look. */
function isOurs(path: string): boolean {
  return [tmpdir(), "/tmp"].some((parent) => path.startsWith(join(parent, prefix))) && !path.includes("..");
}
