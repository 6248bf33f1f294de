import type { IncomingHttpHeaders } from "node:http";
import { connect } from "./connect.ts";
import { grpc } from "./grpc.ts";
import { grpcWeb } from "./grpc-web.ts";
import type { UnaryProtocol } from "./protocol.ts";

const formats = new Map<string, UnaryProtocol>();
for (const [protocol, type] of [
  [grpc, "application/grpc"],
  [grpcWeb, "application/grpc-web"],
] as const) {
  const binary = protocol(false);
  formats.set(type, binary);
  formats.set(`${type}+proto`, binary);
  formats.set(`${type}+json`, protocol(true));
}
formats.set("application/proto", connect(false));
const connectJson = connect(true);
formats.set("application/json", connectJson);
formats.set("application/json; charset=utf-8", connectJson);
formats.set("application/json;charset=utf-8", connectJson);

/**
 * The protocol of a request by its content type, as far as unary calls are answered without Connect's pipeline; undefined for the rest: other spellings,
 * streams, compressed messages, and what no protocol is.
 */
export function formatOf(headers: IncomingHttpHeaders): UnaryProtocol | undefined {
  const format = formats.get(headers["content-type"] ?? "");
  if (format === undefined) {
    return undefined;
  }
  const encoding = headers[format.encodingHeader];
  return encoding === undefined || encoding === "identity" ? format : undefined;
}
