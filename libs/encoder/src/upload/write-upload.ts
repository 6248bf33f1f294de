import { type FileHandle, open } from "node:fs/promises";
import { StorageFullError, storageFault } from "@kinora/storage";
import { TusError } from "./tus-error.ts";

/**
 * Appends a request's bytes to an upload's file from `offset` on; the answer is the new offset. What arrived before a broken connection or a full
 * disk stays: the client resumes from there. Bytes beyond the announced length undo the request as a whole.
 * @throws {TusError} 507 when the disk is full
 */
export async function writeUpload(path: string, body: AsyncIterable<Uint8Array>, offset: number): Promise<number> {
  await using file = await open(path, "r+");
  let position = offset;
  try {
    for await (const chunk of body) position = await writeAt(file, chunk, position);
    return position;
  } catch (error) {
    if (isSizeExceeded(error)) await file.truncate(offset);
    const fault = storageFault(error);
    throw fault instanceof StorageFullError
      ? new TusError(507, `${fault.message} The upload goes on from where it stopped.`)
      : error;
  }
}

async function writeAt(file: FileHandle, chunk: Uint8Array, position: number): Promise<number> {
  for (let written = 0; written < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, position + written);
    written += bytesWritten;
  }
  return position + chunk.length;
}

/** What @tus/server ends the body with when more bytes come than were announced. */
function isSizeExceeded(error: unknown): boolean {
  return error instanceof Error && "status_code" in error && error.status_code === 413;
}
