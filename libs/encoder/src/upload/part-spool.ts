import { randomUUID } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";

/** Bytes on their way into a part: on the disk, since hundreds of slow uploads at once don't fit into memory. */
export type PartSpool = {
  readonly bytes: number;
  add(chunk: Uint8Array): Promise<void>;
  /** All of it, in memory. */
  read(): Promise<Uint8Array>;
  clear(): void;
} & AsyncDisposable;

/** Opens an empty spool: a file of `folder` that has no name, so that nothing is left of it however this process ends. */
export async function openPartSpool(folder: string): Promise<PartSpool> {
  const path = join(folder, `spool-${randomUUID()}`);
  const file: FileHandle = await open(path, "wx+", 0o600);
  await unlink(path);
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    async add(chunk) {
      for (let written = 0; written < chunk.length; ) {
        written += (await file.write(chunk, written, chunk.length - written, bytes + written)).bytesWritten;
      }
      bytes += chunk.length;
    },
    async read() {
      const whole = Buffer.allocUnsafe(bytes);
      for (let read = 0; read < bytes; ) {
        const { bytesRead } = await file.read(whole, read, bytes - read, read);
        if (bytesRead === 0) throw new Error("The spool of an upload is shorter than what was written.");
        read += bytesRead;
      }
      return whole;
    },
    clear() {
      bytes = 0;
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}
