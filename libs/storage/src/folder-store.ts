import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import type { Readable } from "node:stream";
import { moveInto, writeAtomically } from "./atomic-write.ts";
import { checkKey, checkPrefix } from "./key.ts";
import type { ByteRange, ObjectBody, ObjectStat, ObjectStore, SignOptions } from "./object-store.ts";
import { signGrant } from "./signature.ts";
import { signingSecret } from "./signing-secret.ts";
import { storageFault } from "./storage-fault.ts";

/** Where a folder store keeps its objects, and where its signed addresses lead. */
export type FolderStoreOptions = {
  /** The objects' folder; made if it isn't there. */
  folder: string;
  /** A file beside the folder for the secret that addresses are signed with; made if it isn't there. */
  secretFile: string;
  /** The address that the object route is served at by those who get signed addresses, such as `http://127.0.0.1:8082`; asked for at each use. */
  baseUrl: () => string;
};

/** A store whose objects are files. */
export type FolderStore = ObjectStore & {
  /** What the object route checks addresses with. */
  readonly secret: Uint8Array;
  /** Takes a local file over as an object; the file is gone afterwards. Survives a crash at any moment: either the file or the object is there. */
  adopt(key: string, file: string, signal?: AbortSignal): Promise<Pick<ObjectStat, "bytes" | "etag">>;
};

/** Addresses are good for a year at most. */
const longestSeconds = 365 * 24 * 3600;

/** Opens a store in a folder of the local file system. What a crash left half written a day ago or earlier is removed. */
export async function openFolderStore(options: FolderStoreOptions): Promise<FolderStore> {
  const root = resolve(options.folder);
  const scratch = join(root, ".scratch");
  const trash = join(root, ".trash");
  await mkdir(root, { recursive: true, mode: 0o700 });
  await rm(trash, { recursive: true, force: true });
  await removeStale(scratch);
  const secret = await signingSecret(options.secretFile);
  const pathOf = (key: string) => join(root, ...checkKey(key).split("/"));

  return {
    secret,
    signedSeconds: longestSeconds,

    async put(key: string, body: ObjectBody, { bytes, signal } = {}) {
      const path = pathOf(key);
      try {
        await writeAtomically(scratch, path, body, { bytes, signal });
        return statOf(await stat(path));
      } catch (error) {
        throw storageFault(error);
      }
    },

    async get(key: string, { range, signal } = {}) {
      const path = pathOf(key);
      signal?.throwIfAborted();
      const handle = await open(path, "r").catch(ignoreAbsent);
      if (handle === undefined) return undefined;
      const stats = await handle.stat();
      if (!stats.isFile()) {
        await handle.close();
        return undefined;
      }
      return { stat: statOf(stats), body: readFrom(handle, range, signal) };
    },

    async stat(key: string, signal?: AbortSignal) {
      const path = pathOf(key);
      signal?.throwIfAborted();
      const stats = await stat(path).catch(ignoreAbsent);
      return stats?.isFile() ? statOf(stats) : undefined;
    },

    async *list(prefix: string, signal?: AbortSignal) {
      const folder = pathOf(checkPrefix(prefix).slice(0, -1));
      let paths: string[] = [];
      const take = async () => {
        const found = await Promise.all(paths.map((path) => stat(path).catch(ignoreAbsent)));
        return paths.flatMap((path, index) => {
          const stats = found[index];
          return stats ? [{ key: relative(root, path), bytes: stats.size }] : [];
        });
      };
      for await (const path of filesBelow(folder, signal)) {
        paths.push(path);
        if (paths.length < 64) continue;
        yield* await take();
        paths = [];
      }
      yield* await take();
    },

    async deletePrefix(prefix: string, signal?: AbortSignal) {
      const folder = pathOf(checkPrefix(prefix).slice(0, -1));
      signal?.throwIfAborted();
      await mkdir(trash, { recursive: true });
      const doomed = join(trash, randomUUID());
      // Renamed first: nobody sees a half-deleted stream.
      const renamed = await rename(folder, doomed).then(() => true, ignoreAbsent);
      if (!renamed) return;
      await rm(doomed, { recursive: true, force: true });
      await removeEmptyParents(root, folder);
    },

    async adopt(key: string, file: string, signal?: AbortSignal) {
      const path = pathOf(key);
      signal?.throwIfAborted();
      try {
        {
          await using handle = await open(file, "r+");
          await handle.datasync();
        }
        await moveInto(file, path);
        return statOf(await stat(path));
      } catch (error) {
        throw storageFault(error);
      }
    },

    async sign(key: string, { method, expiresInSeconds, bytes, maxBytes = bytes }: SignOptions) {
      const expires = Math.ceil(Date.now() / 1000 + Math.min(expiresInSeconds, longestSeconds));
      const query = signGrant(secret, {
        method,
        key: checkKey(key),
        expires,
        ...(maxBytes === undefined ? {} : { maxBytes }),
      });
      return `${options.baseUrl()}/objects/${key}?${query}`;
    },
  };
}

function statOf(stats: Stats): ObjectStat {
  return {
    bytes: stats.size,
    etag: `"${stats.size.toString(36)}-${Math.round(stats.mtimeMs * 1000).toString(36)}"`,
    modified: stats.mtime,
  };
}

function readFrom(handle: FileHandle, range: ByteRange | undefined, signal: AbortSignal | undefined): Readable {
  return handle.createReadStream({
    ...(range === undefined ? {} : { start: range.start, end: range.end }),
    ...(signal === undefined ? {} : { signal }),
    highWaterMark: 256 * 1024,
  });
}

async function* filesBelow(folder: string, signal?: AbortSignal): AsyncGenerator<string> {
  // At once: entry by entry costs four calls for each folder, and most have a few files.
  const entries = await readdir(folder, { withFileTypes: true }).catch(ignoreAbsent);
  for (const entry of entries ?? []) {
    signal?.throwIfAborted();
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path, signal);
    else if (entry.isFile() && !entry.name.startsWith(".")) yield path;
  }
}

// Only what is old: another process may be writing at this moment.
async function removeStale(scratch: string): Promise<void> {
  const limit = Date.now() - 24 * 3600 * 1000;
  for await (const path of filesBelow(scratch)) {
    const stats = await stat(path).catch(ignoreAbsent);
    if (stats && stats.mtimeMs < limit) await rm(path, { force: true });
  }
}

async function removeEmptyParents(root: string, folder: string): Promise<void> {
  for (let parent = dirname(folder); parent !== root; parent = dirname(parent)) {
    const removed = await rmdir(parent).then(
      () => true,
      () => false, // not empty: somebody else's
    );
    if (!removed) return;
  }
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
}
