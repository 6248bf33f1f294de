import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { CliError } from "./errors.ts";
import { readJson } from "./private-file.ts";
import { isAlive } from "./process-alive.ts";

/** A Kinora of this machine: its data folder, and the services of it that run. */
export type LocalInstallation = { dataDir: string; user?: string; encoder?: string };

/** Folders that may hold the data of a local installation: KINORA_DATA alone if it is set. */
export function dataFolders(env: Readonly<Record<string, string | undefined>>, cwd: string): string[] {
  if (env.KINORA_DATA) return [resolve(cwd, env.KINORA_DATA)];
  const repository = resolve(import.meta.dirname, "../../..");
  return [...new Set([resolve(cwd, ".kinora"), join(repository, ".kinora")])];
}

/** The first of the folders whose installation runs, at least in part. */
export async function findLocalInstallation(folders: readonly string[]): Promise<LocalInstallation | undefined> {
  for (const dataDir of folders) {
    const user = await runningAt(join(dataDir, "run", "user.json"));
    const encoder = await runningAt(join(dataDir, "run", "encoder.json"));
    if (user !== undefined || encoder !== undefined) {
      return { dataDir, ...(user !== undefined && { user }), ...(encoder !== undefined && { encoder }) };
    }
  }
  return undefined;
}

/** The address in a run file, if the process that wrote it lives. */
async function runningAt(path: string): Promise<string | undefined> {
  const content = (await readJson(path).catch(() => undefined)) as { url?: unknown; pid?: unknown } | undefined;
  const { url, pid } = content ?? {};
  return typeof url === "string" && URL.canParse(url) && typeof pid === "number" && isAlive(pid) ? url : undefined;
}

/** The credential of the account that the first start made; undefined where there is none. */
export async function ownerCredential(dataDir: string): Promise<{ email: string; password: string } | undefined> {
  const path = join(dataDir, "credentials", "owner.json");
  if (!existsSync(path)) return undefined;
  try {
    const { email, password } = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    if (typeof email === "string" && typeof password === "string") return { email, password };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") {
      throw new CliError(
        `You may not read ${path}: run this as the user that runs Kinora, or log in with "kinora login".`,
      );
    }
  }
  throw new CliError(`${path} is damaged; log in with "kinora login".`);
}
