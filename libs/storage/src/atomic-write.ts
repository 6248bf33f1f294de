import { randomUUID } from "node:crypto";
import { copyFile, type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LengthMismatchError, type ObjectBody } from "./object-store.ts";

/**
 * Writes a body to a file of `scratch`, forces it to the disk and renames it to `target`: a crash, a broken body or a full disk leave no part of it under
 * that name. Rejects with LengthMismatchError if the body isn't `bytes` long.
 */
export async function writeAtomically(
  scratch: string,
  target: string,
  body: ObjectBody,
  options: { bytes?: number | undefined; signal?: AbortSignal | undefined },
): Promise<void> {
  await mkdir(scratch, { recursive: true });
  const temporary = join(scratch, randomUUID());
  try {
    {
      await using file = await open(temporary, "wx", 0o600);
      await writeBody(file, body, options);
      await file.datasync();
    }
    await moveInto(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeBody(
  file: FileHandle,
  body: ObjectBody,
  { bytes, signal }: { bytes?: number | undefined; signal?: AbortSignal | undefined },
): Promise<void> {
  let written = 0;
  for await (const chunk of chunks(body)) {
    signal?.throwIfAborted();
    written += chunk.length;
    if (bytes !== undefined && written > bytes) break;
    await file.writeFile(chunk);
  }
  signal?.throwIfAborted();
  if (bytes !== undefined && written !== bytes) {
    throw new LengthMismatchError(
      `The body has ${written > bytes ? "more than" : "only"} ${Math.min(written, bytes)} of ${bytes} bytes.`,
    );
  }
}

function chunks(body: ObjectBody): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (typeof body === "string") return [Buffer.from(body)];
  return body instanceof Uint8Array ? [body] : body;
}

/** Renames a file, making the folders on the way; copies it first where the two lie on different file systems. */
export async function moveInto(source: string, target: string): Promise<void> {
  // `deletePrefix` may remove the empty folder between the two steps, so try again a few times.
  for (let tries = 3; ; tries -= 1) {
    await mkdir(dirname(target), { recursive: true });
    try {
      await rename(source, target);
      return await syncFolder(dirname(target));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EXDEV") return await copyInto(source, target);
      if (code !== "ENOENT" || tries <= 1) throw error;
    }
  }
}

async function copyInto(source: string, target: string): Promise<void> {
  const temporary = join(dirname(target), `.${randomUUID()}`);
  try {
    await copyFile(source, temporary);
    {
      await using file = await open(temporary, "r+");
      await file.datasync();
    }
    await rename(temporary, target);
    await syncFolder(dirname(target));
    await rm(source);
  } finally {
    await rm(temporary, { force: true });
  }
}

// A rename survives a power cut only once its folder is on the disk too. Some file systems can't sync a folder: then there is nothing to do.
async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, "r");
    await handle.sync();
  } catch (error) {
    if (!["EINVAL", "EPERM", "EISDIR", "ENOTSUP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
