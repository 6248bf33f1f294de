import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";

/** What a server reads: Connect's gzip and brotli, with a message that can't be unpacked said to be its sender's fault. */
export const acceptedCompression: Compression[] = [compressionGzip, compressionBrotli].map(blamingTheSender);

/** Connect calls only some damage the sender's; a message that is cut off, for one, would be our internal error, and fill the log. */
function blamingTheSender(compression: Compression): Compression {
  return {
    ...compression,
    async decompress(bytes, readMaxBytes) {
      try {
        return await compression.decompress(bytes, readMaxBytes);
      } catch (error) {
        if (error instanceof ConnectError && error.code === Code.Internal) {
          const message = `the message is no whole ${compression.name} data`;
          throw new ConnectError(message, Code.InvalidArgument, undefined, undefined, error.cause);
        }
        throw error;
      }
    },
  };
}
