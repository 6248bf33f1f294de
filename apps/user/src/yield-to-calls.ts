import { readdir, readFile } from "node:fs/promises";
import { getPriority, setPriority } from "node:os";

/** How much nicer hashing is than answering: a tenth of the weight, and it gives way at once. */
const nicer = 10;

/**
 * Lowers the priority of Node's thread pool, where passwords are hashed, so that logins take what other calls leave of the cores. For a process of this service
 * alone: files are read there as well, of which others have many. Only Linux has priorities of threads; elsewhere, or where it is forbidden, nothing changes.
 */
export async function yieldToCalls(): Promise<void> {
  if (process.platform !== "linux") return;
  const tasks = "/proc/self/task";
  try {
    const priority = Math.min(getPriority() + nicer, 19);
    for (const thread of await readdir(tasks)) {
      const name = await readFile(`${tasks}/${thread}/comm`, "utf8");
      if (name.trim() === "libuv-worker") setPriority(Number(thread), priority);
    }
  } catch {
    // Logins and calls share the cores as equals then.
  }
}
