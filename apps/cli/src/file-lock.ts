import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "./errors.ts";
import { isAlive } from "./process-alive.ts";

/** Nobody holds a lock this long: its holder has died, or its process id belongs to another program by now. */
const staleMs = 60_000;
const patienceMs = 30_000;

/** Runs `work` while this process alone holds the lock file. Locks of dead processes are broken. */
export async function withLock<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const end = performance.now() + patienceMs;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  while (!(await take(path))) {
    if (await isStale(path)) {
      // Moved aside first, so that of several processes that see it only one removes it.
      const aside = `${path}.${process.pid}`;
      await rename(path, aside).catch(ignoreMissing);
      await rm(aside, { force: true });
      continue;
    }
    if (performance.now() > end) {
      throw new CliError(`Another kinora command has held ${path} for too long. If none is running, delete that file.`);
    }
    await sleep(50, undefined, { signal });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    const [holder, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
    const age = Date.now() - mtimeMs;
    if (holder === "") return age > 1_000; // made, but its process died before it wrote its id
    return age > staleMs || !isAlive(Number(holder));
  } catch (error) {
    ignoreMissing(error);
    return false;
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
