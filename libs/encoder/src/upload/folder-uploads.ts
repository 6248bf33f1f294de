import { constants, type FileHandle, mkdir, open, readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { FolderStore } from "@kinora/storage";
import { sourceKey } from "../domain/object-keys.ts";
import { isSizeExceeded, TusError, tusFault } from "./tus-error.ts";
import type { Uploads } from "./uploads.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Uploads as files of a folder, named by their video; a file's length is what has been received. Makes the folder if it isn't there. */
export async function openFolderUploads(folder: string, storage: FolderStore): Promise<Uploads> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = (videoId: string) => {
    if (!uuid.test(videoId)) throw new Error("Not the id of a video.");
    return join(folder, videoId);
  };
  const stats = (videoId: string) => stat(path(videoId)).catch(ignoreAbsent);
  return {
    // A source is made of a whole upload only, and before the database notes it: in between, nothing has begun anew.
    received: async (videoId) => (await stats(videoId))?.size ?? (await storage.stat(sourceKey(videoId)))?.bytes ?? 0,
    lastWrite: async (videoId) => (await stats(videoId))?.mtime,

    async write(video, body, offset) {
      // Beyond the first byte there is a file, or somebody has just made the source of it.
      const flags = constants.O_RDWR | (offset === 0 ? constants.O_CREAT : 0);
      await using file = await open(path(video.id), flags, 0o600).catch(ignoreAbsent);
      if (file === undefined) throw new TusError(409, "The upload is complete, or it was deleted.");
      if ((await file.stat()).size !== offset) throw new TusError(409, "Bytes have arrived meanwhile.");
      let position = offset;
      try {
        for await (const chunk of body) position = await writeAt(file, chunk, position);
        return position;
      } catch (error) {
        if (isSizeExceeded(error)) await file.truncate(offset);
        throw tusFault(error);
      }
    },

    async finish(video) {
      const key = sourceKey(video.id);
      if (video.sizeBytes === 0) return (await storage.put(key, "")).bytes === 0;
      const isThere = async () => (await storage.stat(key))?.bytes === video.sizeBytes;
      if ((await stats(video.id))?.size !== video.sizeBytes) return await isThere();
      try {
        await storage.adopt(key, path(video.id));
      } catch (error) {
        // Somebody else may have adopted it in this moment.
        if (!(await isThere())) throw error;
      }
      return true;
    },

    async remove(videoId, signal) {
      signal?.throwIfAborted();
      await rm(path(videoId), { force: true });
    },

    list: async () => (await readdir(folder)).filter((name) => uuid.test(name)),

    async room() {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
  };
}

async function writeAt(file: FileHandle, chunk: Uint8Array, position: number): Promise<number> {
  for (let written = 0; written < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, position + written);
    written += bytesWritten;
  }
  return position + chunk.length;
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
