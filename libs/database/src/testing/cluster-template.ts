import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cp, lstat, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { locateBinaries } from "../embedded/binaries/locate-binaries.ts";
import { packageFolder } from "../embedded/binaries/package-folder.ts";
import { clusterPaths } from "../embedded/cluster-folder.ts";
import { newOwner } from "../embedded/data-owner.ts";
import { initialise } from "../embedded/initialise.ts";
import { hasProc } from "../embedded/shared-folders.ts";

/**
 * Puts a new cluster into `folder` by copying one that initdb made earlier: a tenth of initdb's time. The template stays
 * in the temporary folder for the next test; one that another user could have put there isn't used.
 */
export async function copyClusterTemplate(folder: string): Promise<void> {
  const template = join(tmpdir(), `kinora-test-cluster-${process.getuid?.()}-${version()}`);
  if (!(await isOurs(template))) await makeTemplate(template);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await cp(clusterPaths(template).cluster, clusterPaths(folder).cluster, { recursive: true });
}

async function makeTemplate(template: string): Promise<void> {
  const fresh = await mkdtemp(`${template}-new-`);
  try {
    const runAs = newOwner();
    const { initdb } = await locateBinaries({ dataDir: fresh, runAs });
    await initialise({ paths: clusterPaths(fresh), initdb, runAs, proc: hasProc(), durable: false });
    await rename(fresh, template).catch(async (error: unknown) => {
      if (!(await isOurs(template))) throw error; // another test file was quicker
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (!found) return false;
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return true;
  throw new Error(`${folder} belongs to somebody else: remove it.`);
}

function version(): string {
  const manifest = readFileSync(join(dirname(packageFolder()), "package.json"));
  return createHash("sha256").update(manifest).digest("hex").slice(0, 12);
}
