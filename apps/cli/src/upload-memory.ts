import { uptime } from "node:os";
import { join } from "node:path";
import type { Context } from "./context.ts";
import { withLock } from "./file-lock.ts";
import { readJson, writePrivateJson } from "./private-file.ts";
import { isAlive } from "./process-alive.ts";
import { stateFolder } from "./state-folder.ts";

/** A file, as it was when its upload began. */
export type FileIdentity = { path: string; size: number; mtimeMs: number };

type Entry = FileIdentity & { server: string; videoId: string; pid: number; timeMs: number };

/** Remembers which video a file became, so that the same command resumes what was broken off. */
export type UploadMemory = {
  /** The video of this file; undefined if there is none, or if another command is busy with it. */
  find(): Promise<string | undefined>;
  /** Notes the video, and that this process is busy with it. Leaves the note of another busy command alone. */
  note(videoId: string): Promise<void>;
  /** The stream is complete, or the video gone: the next command starts anew. */
  forget(): Promise<void>;
};

const maxEntries = 200;
const maxAgeMs = 14 * 24 * 3_600_000;

/** Opens the memory of one file at one server. */
export function openUploadMemory(
  context: Pick<Context, "env" | "home" | "signal">,
  server: string,
  file: FileIdentity,
): UploadMemory {
  const path = join(stateFolder(context), "uploads.json");
  const isThis = (entry: Entry) =>
    entry.server === server && entry.path === file.path && entry.size === file.size && entry.mtimeMs === file.mtimeMs;
  // A process id from before the machine's last start belongs to another program by now.
  const isBusy = (entry: Entry) =>
    entry.pid !== process.pid && entry.timeMs > Date.now() - uptime() * 1000 && isAlive(entry.pid);

  async function load(): Promise<Entry[]> {
    const content = await readJson(path);
    return Array.isArray(content) ? content.filter(isEntry) : [];
  }
  // Ctrl-C doesn't end these: they take milliseconds, and what they note is needed after it.
  const change = (update: (entries: Entry[]) => Entry[]) =>
    withLock(`${path}.lock`, AbortSignal.timeout(10_000), async () => {
      const fresh = (await load()).filter((entry) => Date.now() - entry.timeMs < maxAgeMs);
      await writePrivateJson(path, update(fresh).slice(-maxEntries));
    });

  return {
    async find() {
      const entry = (await load()).find(isThis);
      return entry === undefined || isBusy(entry) ? undefined : entry.videoId;
    },
    note: (videoId) =>
      change((entries) => {
        if (entries.some((entry) => isThis(entry) && isBusy(entry))) return entries;
        const entry = { ...file, server, videoId, pid: process.pid, timeMs: Date.now() };
        return [...entries.filter((other) => !isThis(other)), entry];
      }),
    forget: () => change((entries) => entries.filter((entry) => !isThis(entry) || isBusy(entry))),
  };
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null) return false;
  const { path, size, mtimeMs, server, videoId, pid, timeMs } = value as Record<string, unknown>;
  return (
    [path, server, videoId].every((text) => typeof text === "string") &&
    [size, mtimeMs, pid, timeMs].every((figure) => typeof figure === "number")
  );
}
