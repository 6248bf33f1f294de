import { mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** The files of uploads that aren't complete, named by their video. A file's length says how many bytes have arrived. */
export type Uploads = {
  readonly folder: string;
  /** Bytes that have arrived; undefined if nothing was ever sent. */
  received(videoId: string): Promise<number | undefined>;
  /** When the last bytes arrived; undefined if nothing was ever sent. */
  lastWrite(videoId: string): Promise<Date | undefined>;
  /** Makes the empty file if there is none. */
  ensure(videoId: string): Promise<void>;
  path(videoId: string): string;
  remove(videoId: string, signal?: AbortSignal): Promise<void>;
  /** The videos that there are files of. */
  list(): Promise<string[]>;
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Opens the uploads' folder, making it if it isn't there. */
export async function openUploads(folder: string): Promise<Uploads> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = (videoId: string) => {
    if (!uuid.test(videoId)) throw new Error("Not the id of a video.");
    return join(folder, videoId);
  };
  const stats = (videoId: string) => stat(path(videoId)).catch(ignoreAbsent);
  return {
    folder,
    path,
    received: async (videoId) => (await stats(videoId))?.size,
    lastWrite: async (videoId) => (await stats(videoId))?.mtime,
    async ensure(videoId) {
      await using _file = await open(path(videoId), "a", 0o600);
    },
    async remove(videoId, signal) {
      signal?.throwIfAborted();
      await rm(path(videoId), { force: true });
    },
    list: async () => (await readdir(folder)).filter((name) => uuid.test(name)),
  };
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
