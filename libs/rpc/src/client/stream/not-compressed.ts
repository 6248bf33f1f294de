import { Code, ConnectError } from "@connectrpc/connect";
import type { Envelope } from "./envelope-queue.ts";

/** The envelope's bytes; `internal` if they are compressed, as nobody asked for that. */
export function notCompressed({ flags, bytes }: Envelope): Uint8Array {
  if ((flags & 1) === 1) {
    throw new ConnectError("the reply is compressed, and nobody asked for that", Code.Internal);
  }
  return bytes;
}
