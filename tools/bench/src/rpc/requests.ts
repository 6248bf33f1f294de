import { create, toBinary } from "@bufbuild/protobuf";
import { WatchUserRequestSchema } from "@kinora/proto-common/kinora/testing/v1/bench_service_pb.js";
import type { RawSpec } from "./clients/client-spec.ts";
import { getUserPath, grpcFrame, requestJson, requestMessage, watchUserPath } from "./messages.ts";

/** A request as bytes, for load that knows no contract. */
export type RawRequest = {
  http: "1.1" | "2";
  path: string;
  body: Uint8Array;
  headers: Readonly<Record<string, string>>;
};

/** GetUser by gRPC. */
export function grpcGetUser(payloadBytes: number, headers: RawRequest["headers"] = {}): RawRequest {
  return {
    http: "2",
    path: getUserPath,
    body: grpcFrame(requestMessage(payloadBytes)),
    headers: { "content-type": "application/grpc", te: "trailers", ...headers },
  };
}

/** GetUser by the Connect protocol, binary, over HTTP/2. */
export function connectGetUser(payloadBytes: number): RawRequest {
  return {
    http: "2",
    path: getUserPath,
    body: requestMessage(payloadBytes),
    headers: { "content-type": "application/proto", "connect-protocol-version": "1" },
  };
}

/** GetUser in JSON over HTTP/1.1, which is the Connect protocol and what Fastify takes. */
export function jsonGetUser(headers: RawRequest["headers"] = {}): RawRequest {
  return {
    http: "1.1",
    path: getUserPath,
    body: requestJson(0),
    headers: { "content-type": "application/json", "connect-protocol-version": "1", ...headers },
  };
}

/** A server stream by gRPC. */
export function grpcWatchUser(count: number, bytes: number): RawRequest {
  const message = toBinary(WatchUserRequestSchema, create(WatchUserRequestSchema, { count, bytes }));
  return { ...grpcGetUser(0), path: watchUserPath, body: grpcFrame(message) };
}

/** A client that sends the request to `target`, over so many connections. */
export function rawSpec(target: string, request: RawRequest, connections: number): RawSpec {
  return {
    kind: request.http === "1.1" ? "raw-http1" : "raw-http2",
    target,
    path: request.path,
    body: Buffer.from(request.body).toString("base64"),
    headers: request.headers,
    connections,
  };
}
