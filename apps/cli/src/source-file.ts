import { realpath, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { CliError, UsageError } from "./errors.ts";
import type { FileIdentity } from "./upload-memory.ts";

/** A file to send. */
export type SourceFile = FileIdentity & { name: string };

/** Looks at the file that is to be sent. */
export async function openSourceFile(cwd: string, file: string): Promise<SourceFile> {
  const path = resolve(cwd, file);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") throw new CliError(`There is no file ${file}.`);
    if (error.code === "EACCES") throw new CliError(`You may not read ${file}.`);
    throw error;
  });
  if (!found.isFile()) throw new UsageError(`${file} is no file. Name one video file.`);
  return { path: await realpath(path), size: found.size, mtimeMs: found.mtimeMs, name: basename(path).slice(0, 500) };
}
