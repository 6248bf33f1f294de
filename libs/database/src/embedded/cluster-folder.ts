import { constants, existsSync } from "node:fs";
import { access, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

/** What lies where in a cluster's folder. */
export type ClusterPaths = {
  folder: string;
  /** Appears all at once, when initdb is done. */
  cluster: string;
  data: string;
  password: string;
  log: string;
};

export function clusterPaths(folder: string): ClusterPaths {
  const cluster = join(folder, "cluster");
  return {
    folder,
    cluster,
    data: join(cluster, "data"),
    password: join(cluster, "password"),
    log: join(folder, "postgres.log"),
  };
}

/** Folders in the making begin so; what a killed process left is removed. */
export const unfinished = "new-";

export async function makeClusterFolder(folder: string): Promise<ClusterPaths> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    // On a read-only disk Node says that the folder doesn't exist; this says why it can't be made.
    let parent = folder;
    while (!existsSync(parent)) parent = dirname(parent);
    await access(parent, constants.W_OK);
    throw error;
  }
  return clusterPaths(folder);
}

/** Only for the holder of the folder's lock. */
export async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    // An initdb whose Kinora was killed may still be writing for a moment.
    if (name.startsWith(unfinished)) {
      await rm(join(folder, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    }
  }
}
