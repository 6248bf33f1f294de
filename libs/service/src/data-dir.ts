import { existsSync } from "node:fs";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { StartupError } from "./startup-error.ts";
import { explainSystemError } from "./system-error.ts";

/**
 * Makes the data folder where it isn't there (for its owner alone) and tries to write into it. Returns its absolute path; throws a StartupError that says what to do
 * where it can't be used.
 */
export async function prepareDataDir(path: string): Promise<string> {
  const folder = resolve(path);
  const probe = join(folder, `.probe-${process.pid}`);
  try {
    await makeFolder(folder);
    await writeFile(probe, "kinora\n");
    await rm(probe, { force: true });
  } catch (error) {
    await rm(probe, { force: true }).catch(() => {});
    const explanation = explainSystemError(withFolder(error, folder));
    throw new StartupError(explanation ?? `KINORA_DATA=${folder} can't be used (${error}): set it to another folder`, {
      cause: error,
    });
  }
  return folder;
}

/** Makes a folder and those above it. (Where a file system answers ENOENT for good, as /proc does, Node's recursive `mkdir` never returns.) */
async function makeFolder(folder: string): Promise<void> {
  if (existsSync(folder)) {
    if (!(await stat(folder)).isDirectory()) {
      throw Object.assign(new Error("not a folder"), { code: "ENOTDIR", syscall: "mkdir" });
    }
    return;
  }
  const parent = dirname(folder);
  if (parent !== folder) {
    await makeFolder(parent);
  }
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    // Somebody else may have made it just now.
    if (!existsSync(folder)) {
      throw error;
    }
  });
}

/** The error, about the folder that somebody chose rather than about our probe in it. */
function withFolder(error: unknown, folder: string): unknown {
  return error instanceof Error ? Object.assign(error, { path: folder }) : error;
}
