import type { DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { Attributes } from "@opentelemetry/api";
import type { ServerAddress } from "./call-telemetry.ts";

/**
 * The attributes of the calls of one method, over one system and to one server: made once, shared by all of them. Names and values are those of
 * OpenTelemetry's semantic conventions for RPC, version 1.45.0: https://opentelemetry.io/docs/specs/semconv/rpc/
 */
export type CallAttributes = {
  /** The span's name. */
  readonly name: string;
  /** What is known when a call begins. */
  readonly start: Attributes;
  /** By code, 0 for "ok": what its end adds to the span. */
  readonly end: readonly Attributes[];
  /** By code, 0 for "ok": whether that is a failure. */
  readonly fails: readonly boolean[];
};

/** The codes that are failures of the server; the others are its callers'. A client counts every code but "ok" as a failure. */
const serverFailures: ReadonlySet<number> = new Set([
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

const codes = [0, ...Object.values(Code).filter((code) => typeof code === "number")];

/**
 * `rpc.system.name` of one of our protocols. gRPC-Web is gRPC by another framing. Calls in memory speak no protocol at all, and their durations would
 * say something wrong about one that does: they are "memory".
 */
export function systemOf(protocol: string): string {
  return protocol.startsWith("grpc") ? "grpc" : protocol === "memory" ? "memory" : "connectrpc";
}

/** The protocol of a request by its content type, where nobody has looked closer yet. */
export function protocolOf(contentType: string | undefined): string {
  return contentType?.startsWith("application/grpc") ? "grpc" : "connect";
}

/** `rpc.status_code`: as gRPC writes it for gRPC, as Connect does otherwise, where only errors have names. */
export function statusCodeOf(system: string, code: number): string {
  if (code === 0) {
    return "OK";
  }
  const name = codeToString(code);
  if (system !== "grpc") {
    return name;
  }
  return code === Code.Canceled ? "CANCELLED" : name.toUpperCase();
}

/** The attributes of calls of `method`; `server` where we make them and know it. */
export function callAttributes(
  side: "server" | "client",
  method: DescMethod,
  system: string,
  server: ServerAddress | undefined,
): CallAttributes {
  const name = `${method.parent.typeName}/${method.name}`;
  const start: Attributes = { "rpc.system.name": system, "rpc.method": name, ...serverAttributes(server) };
  const fails = codes.map((code) => (side === "client" ? code !== 0 : serverFailures.has(code)));
  const end = codes.map((code): Attributes => {
    const status = statusCodeOf(system, code);
    return { "rpc.status_code": status, ...(fails[code] ? { "error.type": status } : {}) };
  });
  return { name, start, end, fails };
}

/** `server.address` and `server.port`. */
export function serverAttributes(server: ServerAddress | undefined): Attributes {
  if (server === undefined) {
    return {};
  }
  const { address, port } = server;
  return port === undefined ? { "server.address": address } : { "server.address": address, "server.port": port };
}

/** The address by which a client reached a server, as it said in `:authority` or `Host`. */
export function parseAuthority(authority: string): ServerAddress | undefined {
  // An IPv6 address stands in brackets.
  const [, address, port] = /^(\[[0-9a-zA-Z:.%]{2,64}\]|[^:[\]/@\s]{1,253})(?::(\d{1,5}))?$/.exec(authority) ?? [];
  if (address === undefined) {
    return undefined;
  }
  const bare = address.startsWith("[") ? address.slice(1, -1) : address;
  return port === undefined ? { address: bare } : { address: bare, port: Number(port) };
}
