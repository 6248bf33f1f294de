import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** A symbolic link between two files of the native folder, both relative to it. */
export type LibraryLink = { link: string; target: string };

/**
 * The links among the libraries (libicuuc.so.60 → libicuuc.so.60.2). npm packages can't hold links, so the platform
 * package lists them and makes them in an install script; people and npm itself switch such scripts off.
 */
export function libraryLinks(nativeFolder: string): LibraryLink[] {
  const list = join(nativeFolder, "pg-symlinks.json");
  if (!existsSync(list)) return [];
  const entries: unknown = JSON.parse(readFileSync(list, "utf8"));
  if (!Array.isArray(entries)) return [];
  // The list calls the file "source" and the link "target", and starts both with "native/".
  return entries.map((entry: { source: string; target: string }) => ({
    link: relative("native", entry.target),
    target: relative("native", entry.source),
  }));
}

/** The links that aren't there or lead nowhere. */
export function missingLinks(nativeFolder: string): LibraryLink[] {
  return libraryLinks(nativeFolder).filter(({ link }) => !existsSync(join(nativeFolder, link)));
}

/** Makes links; one that another process makes at the same time is fine. Throws when the folder can't be written. */
export function makeLinks(nativeFolder: string, links: readonly LibraryLink[]): void {
  for (const { link, target } of links) {
    const path = join(nativeFolder, link);
    const to = relative(dirname(link), target);
    try {
      symlinkSync(to, path);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      if (existsSync(path)) continue;
      rmSync(path, { force: true }); // it leads nowhere
      symlinkSync(to, path);
    }
  }
}
