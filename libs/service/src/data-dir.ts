import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
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
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(probe, "kinora\n");
    await rm(probe, { force: true });
  } catch (error) {
    await rm(probe, { force: true }).catch(() => {});
    throw new StartupError(
      explainSystemError(withFolder(error, folder)) ?? `KINORA_DATA=${folder} can't be used: ${String(error)}`,
      {
        cause: error,
      },
    );
  }
  return folder;
}

/** The error, about the folder that somebody chose rather than about our probe in it. */
function withFolder(error: unknown, folder: string): unknown {
  return error instanceof Error ? Object.assign(error, { path: folder }) : error;
}
