import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, mkdtemp, open, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseError } from "../database-error.ts";
import { type ClusterPaths, unfinished } from "./cluster-folder.ts";
import { giveTo } from "./data-owner.ts";
import { explain } from "./explain.ts";
import { type Finished, type RunAs, runChild } from "./run-child.ts";
import { initdbArguments } from "./settings.ts";
import { shareFolders } from "./shared-folders.ts";

/** Postgres's superuser, by which Kinora connects. */
export const superuser = "kinora";

/**
 * Makes a new cluster with a password of its own. initdb works in a folder beside, which gets its name when everything
 * is on disk: whenever this is interrupted, the next start finds either no cluster or a whole one.
 */
export async function initialise(options: {
  paths: ClusterPaths;
  initdb: string;
  runAs: RunAs | undefined;
  proc: boolean;
  durable: boolean;
  signal?: AbortSignal | undefined;
}): Promise<void> {
  const { paths, runAs } = options;
  const staging = await mkdtemp(join(paths.folder, unfinished));
  try {
    const data = join(staging, "data");
    const password = join(staging, "password");
    await mkdir(data, { mode: 0o700 });
    await writeFile(password, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flush: true });
    if (runAs) for (const path of [data, password]) await giveTo(runAs, path);

    const shared = await shareFolders([data, password], options.proc);
    try {
      const [dataFolder = data, passwordFile = password] = shared.inChild;
      const args = initdbArguments({ dataFolder, passwordFile, user: superuser, durable: options.durable });
      const child = { runAs, fds: shared.fds, signal: options.signal, timeoutMs: 300_000 };
      const { code, output } = await runInitdb(options.initdb, args, child);
      if (code !== 0) throw new DatabaseError(failure(output, paths.folder));
    } finally {
      await shared.close();
    }

    if (runAs) await chown(password, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    await chmod(password, 0o600);
    await syncFolder(staging);
    await rename(staging, paths.cluster);
    await syncFolder(paths.folder);
  } finally {
    await rm(staging, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/**
 * initdb wants its user in /etc/passwd; containers like to run as a bare number. Where the system lets us, it then runs
 * in a namespace in which the same user is "nobody". Postgres itself doesn't mind.
 */
async function runInitdb(initdb: string, args: string[], child: Parameters<typeof runChild>[2]): Promise<Finished> {
  const first = await runChild(initdb, args, child);
  if (first.code === 0 || !/could not look up effective user ID/.test(first.output)) return first;
  const namespace = ["--user", "--map-user=65534", "--map-group=65534", "--"];
  const second = await runChild("unshare", [...namespace, initdb, ...args], child).catch(() => first);
  child.signal?.throwIfAborted();
  return second.code === 0 ? second : first;
}

function failure(output: string, folder: string): string {
  const said = output
    .split("\n")
    .filter((line) => /error|fatal|panic|detail/i.test(line))
    .slice(-3)
    .join("; ");
  return explain(output, folder) ?? `Postgres could not make a new database in ${folder}: ${said || output.trim()}`;
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
