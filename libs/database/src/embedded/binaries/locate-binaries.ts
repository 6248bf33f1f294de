import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseError } from "../../database-error.ts";
import { cannotSwitchUser, mayNotSwitchUser } from "../data-owner.ts";
import { type RunAs, runChild } from "../run-child.ts";
import { makeLinks, missingLinks } from "./library-links.ts";
import { packageFolder } from "./package-folder.ts";
import { privateCopy } from "./private-copy.ts";

/** Paths of the programs. */
export type Binaries = { initdb: string; postgres: string };

/**
 * Finds Postgres's programs and makes sure that the user they are to run as can run them, from a private copy if they
 * can't be run where npm put them.
 * @param options.dataDir KINORA_DATA: an ordinary user's copy goes below it
 * @param options.native the folder with `bin`, `lib` and `share`; the installed platform package's unless told
 * @throws {DatabaseError}
 */
export async function locateBinaries(options: {
  dataDir: string;
  runAs?: RunAs | undefined;
  signal?: AbortSignal | undefined;
  native?: string;
  caches?: readonly string[];
}): Promise<Binaries> {
  const native = options.native ?? packageFolder();
  let reason = linksReady(native) ? await whyNot(native, options) : "its libraries' links are missing";
  if (reason === undefined) return binaries(native);

  for (const cache of options.caches ?? cacheFolders(options)) {
    try {
      const copy = await privateCopy(native, cache);
      reason = await whyNot(copy, options);
      if (reason === undefined) return binaries(copy);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof DatabaseError) throw error;
      reason = error instanceof Error ? error.message : String(error);
    }
  }
  throw new DatabaseError(
    `The embedded Postgres in ${native} can't be run on this machine (${reason}). Set DATABASE_URL to a Postgres server instead.`,
  );
}

function binaries(folder: string): Binaries {
  return { initdb: join(folder, "bin", "initdb"), postgres: join(folder, "bin", "postgres") };
}

/** Root's copy must be reachable by the user that Postgres runs as, and /tmp may forbid programs or be swept. */
function cacheFolders({ dataDir, runAs }: { dataDir: string; runAs?: RunAs | undefined }): string[] {
  return runAs ? ["/var/cache/kinora", join(tmpdir(), "kinora-root-cache")] : [join(dataDir, "cache")];
}

function linksReady(native: string): boolean {
  const missing = missingLinks(native);
  if (missing.length === 0) return true;
  try {
    makeLinks(native, missing);
    return true;
  } catch {
    return false; // somebody else's folder: a private copy gets the links
  }
}

/** Tries the programs; why they can't be run, or `undefined` if they can. */
async function whyNot(
  folder: string,
  options: { runAs?: RunAs | undefined; signal?: AbortSignal | undefined },
): Promise<string | undefined> {
  // initdb gives its own path to a shell between double quotes.
  if (/["$`\\\n]/.test(folder)) return `a shell would not understand its path ${folder}`;
  for (const program of Object.values(binaries(folder))) {
    try {
      const { code, output } = await runChild(program, ["--version"], { ...options, timeoutMs: 30_000 });
      if (code !== 0) return output.trim().split("\n").at(-1) || `exit code ${code}`;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (options.runAs && mayNotSwitchUser(error)) throw new DatabaseError(cannotSwitchUser, { cause: error });
      return spawnFailure(error, program);
    }
  }
  return undefined;
}

function spawnFailure(error: unknown, program: string): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EACCES") return `${program} may not be run`;
  if (code === "ENOENT") return `${program} or the system's C library (glibc) is missing`;
  return error instanceof Error ? error.message : String(error);
}
