import { createHash } from "node:crypto";
import { constants, existsSync, lstatSync, readdirSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type LibraryLink, libraryLinks, makeLinks } from "./library-links.ts";

/** What a copy consists of; paths are relative to its folder, sizes in bytes. */
type Contents = { folders: string[]; files: { path: string; size: number }[]; links: LibraryLink[] };

/**
 * Copies Postgres's native folder into `cache`, for when it can't be used where npm put it: the user that runs it can't
 * reach it, or its links are missing and it is read-only. Everybody may read the copy, only its owner may change it.
 *
 * A copy that is already there is used if it is whole and nobody else could have changed it. The copy appears under its
 * name all at once, so processes that start at the same moment don't see each other's half.
 * @returns the copy's folder
 * @throws when `cache` can't be written or others may write to it
 */
export async function privateCopy(nativeFolder: string, cache: string): Promise<string> {
  await mkdir(cache, { recursive: true, mode: 0o755 });
  assertOnlyOurs(cache);
  await chmod(cache, 0o755); // whatever the umask is
  const contents = contentsOf(nativeFolder);
  const copy = join(cache, `postgres-${fingerprint(contents)}`);
  if (isWhole(copy, contents)) return copy;

  const fresh = await mkdtemp(join(cache, "new-"));
  try {
    for (const folder of contents.folders) {
      if (folder !== ".") await mkdir(join(fresh, folder));
      await chmod(join(fresh, folder), 0o755);
    }
    for (const { path } of contents.files) {
      await copyFile(join(nativeFolder, path), join(fresh, path), constants.COPYFILE_FICLONE);
      await chmod(join(fresh, path), path.startsWith("bin/") ? 0o755 : 0o644);
    }
    makeLinks(fresh, contents.links);
    await moveInto(fresh, copy, contents);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return copy;
}

/** Gives `fresh` the name `copy`, in place of a broken copy; a whole one that came there meanwhile stays. */
async function moveInto(fresh: string, copy: string, contents: Contents): Promise<void> {
  if (existsSync(copy) && !isWhole(copy, contents)) {
    const broken = join(dirname(copy), `broken-${basename(fresh)}`);
    await rename(copy, broken).catch(() => {}); // another process was quicker
    await rm(broken, { recursive: true, force: true });
  }
  try {
    await rename(fresh, copy);
  } catch (error) {
    if (!isWhole(copy, contents)) throw error;
  }
}

/** Everything that Postgres needs to run; not the static libraries. Not asynchronous: that would take ten times as long. */
function contentsOf(nativeFolder: string): Contents {
  const folders = [".", "bin", "lib", "share"];
  const files: Contents["files"] = [];
  for (const top of ["bin", "lib", "share"]) {
    for (const entry of readdirSync(join(nativeFolder, top), { recursive: true, withFileTypes: true })) {
      const full = join(entry.parentPath, entry.name);
      const path = full.slice(nativeFolder.length + 1);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile() && !path.endsWith(".a")) files.push({ path, size: lstatSync(full).size });
    }
  }
  // A folder before what is in it; the same order everywhere.
  folders.sort();
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { folders, files, links: libraryLinks(nativeFolder) };
}

function fingerprint(contents: Contents): string {
  return createHash("sha256").update(JSON.stringify(contents)).digest("hex").slice(0, 16);
}

function isWhole(copy: string, contents: Contents): boolean {
  try {
    assertOnlyOurs(copy);
    for (const { path, size } of contents.files) {
      const found = lstatSync(join(copy, path));
      if (!found.isFile() || found.size !== size) return false;
    }
    return contents.links.every(({ link }) => existsSync(join(copy, link)));
  } catch {
    return false;
  }
}

function assertOnlyOurs(folder: string): void {
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error(`${folder} isn't a folder that only this user may write to`);
  }
}
