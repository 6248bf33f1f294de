import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseError } from "../database-error.ts";
import { explain } from "./explain.ts";

/** A held lock. */
export type FolderLock = { release(): void };

const busy = 5; // SQLITE_BUSY, https://www.sqlite.org/rescode.html#busy

/**
 * Takes the only right to run Postgres on `folder`, or throws a DatabaseError when another process keeps it for longer
 * than a process takes to end.
 *
 * Node has no file locks, but its SQLite takes real ones (fcntl), which the kernel frees however the holder dies: no
 * stale lock, no guessing from process numbers. Postgres doesn't inherit them.
 */
export async function lockFolder(folder: string, signal?: AbortSignal, patienceMs = 2_000): Promise<FolderLock> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    signal?.throwIfAborted();
    const lock = tryLock(folder);
    if (lock) return lock;
    if (performance.now() > deadline) {
      throw new DatabaseError(
        `The database in ${folder} is already in use by another Kinora${holder(folder)}. ` +
          "Stop that one, or give this one a folder of its own with KINORA_DATA.",
      );
    }
    await sleep(50, undefined, { signal });
  }
}

function tryLock(folder: string): FolderLock | undefined {
  let file: DatabaseSync | undefined;
  try {
    file = new DatabaseSync(join(folder, "lock"), { timeout: 0 });
    // Nothing is ever written: an empty file is enough to lock, also on a full disk.
    file.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    if (file?.isOpen) file.close();
    if (error instanceof Error && "errcode" in error && error.errcode === busy) return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DatabaseError(
      explain(reason, folder) ??
        `The file "lock" in ${folder} can't be locked (${reason}). Set KINORA_DATA to a folder on a local disk that this user may write to.`,
    );
  }
  const held = file;
  const note = join(folder, "pid");
  try {
    rmSync(note, { force: true }); // it may belong to another user
    writeFileSync(note, `${process.pid}\n`, { mode: 0o600 });
  } catch {
    // Only messages lack something then.
  }
  return {
    release() {
      if (!held.isOpen) return;
      rmSync(note, { force: true });
      held.close();
    },
  };
}

function holder(folder: string): string {
  try {
    const pid = Number.parseInt(readFileSync(join(folder, "pid"), "utf8"), 10);
    return pid > 0 ? ` (process ${pid})` : "";
  } catch {
    return "";
  }
}
