import { StorageFullError } from "./object-store.ts";

const fullCodes = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** A fault of the file system as callers should see it: no room left becomes a StorageFullError, others stay as they are. */
export function storageFault(error: unknown): unknown {
  return isFull(error)
    ? new StorageFullError("The server's disk is full: make room where KINORA_DATA lies, then try again.", {
        cause: error,
      })
    : error;
}

function isFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && fullCodes.has(error.code);
}
