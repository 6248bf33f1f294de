import { constants, existsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** Files and folders that a child process can use wherever they are. */
export type SharedFolders = {
  /** To be inherited by the child as its descriptors 3, 4, … */
  readonly fds: readonly number[];
  /** The paths in the child, in the order given. */
  readonly inChild: readonly string[];
  /** The paths in this process. */
  readonly here: readonly string[];
  close(): Promise<void>;
};

/** Whether a child can reach an open file by `/proc/self/fd`. */
export function hasProc(): boolean {
  return process.platform === "linux" && existsSync("/proc/self/fd");
}

/**
 * Opens `paths` for a child process that runs as another user.
 *
 * Root's data may lie below folders that the other user can't traverse (/root is 0700). Going through
 * `/proc/self/fd/N`, the kernel jumps to the open file without walking the path (path_resolution(7), magic links), and
 * only checks the permissions of the file itself. It also keeps a Unix socket's path far below its limit of 107 bytes,
 * and strange characters out of Postgres's settings. Where there is no /proc (macOS) the paths stay as they are.
 */
export async function shareFolders(paths: readonly string[], proc: boolean): Promise<SharedFolders> {
  if (!proc) return { fds: [], inChild: paths, here: paths, close: async () => {} };
  const handles: FileHandle[] = [];
  const close = async () => {
    await Promise.all(handles.splice(0).map((handle) => handle.close()));
  };
  try {
    for (const path of paths) handles.push(await open(path, constants.O_RDONLY | constants.O_NOFOLLOW));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    fds: handles.map(({ fd }) => fd),
    inChild: handles.map((_, index) => `/proc/self/fd/${3 + index}`),
    here: handles.map(({ fd }) => `/proc/self/fd/${fd}`),
    close,
  };
}
