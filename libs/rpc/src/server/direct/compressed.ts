import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import type { Reply } from "./reply.ts";

// Below this, what is saved isn't worth the time: Connect's own limit.
const leastBytes = 1024;

/**
 * The reply compressed as the client asks, which browsers do; undefined if it goes as it is. gRPC's clients say what they could read, not what they want: between
 * services, compressing costs more than it saves, so only a client that compresses its request gets a compressed answer (from Connect's own handlers).
 */
export function compressed(reply: Reply, accepted: string | undefined): Promise<Reply> | undefined {
  const { body, headers } = reply;
  if (accepted === undefined || body === undefined || Buffer.byteLength(body) < leastBytes) {
    return undefined;
  }
  const names = accepted.split(",").map((part) => part.trim());
  const compression = [compressionGzip, compressionBrotli].find(({ name }) => names.includes(name));
  return compression
    ?.compress(typeof body === "string" ? Buffer.from(body) : body)
    .then((bytes) => ({ ...reply, headers: [...headers, "content-encoding", compression.name], body: bytes }))
    .catch(() => reply);
}
