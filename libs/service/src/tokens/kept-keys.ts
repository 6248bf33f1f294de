import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** What the user service said last: its key set and its discovery document, as they came. */
export type KeptKeys = { set: unknown; configuration: unknown };

/** After this time, in milliseconds, what was kept says nothing: a key stays public for a day after it signed last. */
const longestMs = 86_400_000;

/** What was kept in the file lately; undefined if nothing was, or nothing that can be read. It is public, and as trustworthy as the folder that it lies in. */
export async function readKeptKeys(file: string): Promise<KeptKeys | undefined> {
  try {
    if (Date.now() - (await stat(file)).mtimeMs > longestMs) return undefined;
    const { set, configuration } = JSON.parse(await readFile(file, "utf8"));
    return { set, configuration };
  } catch {
    return undefined;
  }
}

/** Keeps it, whole or not at all. */
export async function keepKeys(file: string, kept: KeptKeys): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(draft, JSON.stringify(kept), { mode: 0o600, flag: "wx" });
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}
