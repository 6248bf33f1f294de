import { Code } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callAttributes, parseAuthority, systemOf } from "./rpc-attributes.ts";

const { echo } = EchoService.method;

describe("the attributes of a call", () => {
  it("name method, system and server", () => {
    const server = { address: "example.org", port: 8081 };
    expect(callAttributes("client", echo, "grpc", server)).toMatchObject({
      name: "kinora.testing.v1.EchoService/Echo",
      start: {
        "rpc.system.name": "grpc",
        "rpc.method": "kinora.testing.v1.EchoService/Echo",
        "server.address": "example.org",
        "server.port": 8081,
      },
    });
    expect(callAttributes("client", echo, "grpc", { address: "/run/echo" }).start).not.toHaveProperty("server.port");
    expect(callAttributes("server", echo, "grpc", undefined).start).not.toHaveProperty("server.address");
  });

  it.each([
    ["grpc", "grpc"],
    ["grpc-web", "grpc"],
    ["connect", "connectrpc"],
    ["memory", "memory"],
  ])("know the system of %s as %s", (protocol, system) => {
    expect(systemOf(protocol)).toBe(system);
  });

  it.each([
    ["grpc", 0, "OK"],
    ["grpc", Code.Canceled, "CANCELLED"],
    ["grpc", Code.NotFound, "NOT_FOUND"],
    ["grpc", Code.Unauthenticated, "UNAUTHENTICATED"],
    ["connectrpc", 0, "OK"],
    ["connectrpc", Code.Canceled, "canceled"],
    ["connectrpc", Code.NotFound, "not_found"],
    ["memory", Code.DeadlineExceeded, "deadline_exceeded"],
  ])("of %s write code %i as %s", (system, code, text) => {
    expect(callAttributes("client", echo, system, undefined).end[code]?.["rpc.status_code"]).toBe(text);
  });

  it("say for every code whose failure it is", () => {
    const server = callAttributes("server", echo, "grpc", undefined);
    const client = callAttributes("client", echo, "grpc", undefined);
    const failed = (side: typeof server) =>
      Object.values(Code).filter((code) => typeof code === "number" && side.fails[code]);
    expect(failed(server)).toEqual([
      Code.Unknown,
      Code.DeadlineExceeded,
      Code.Unimplemented,
      Code.Internal,
      Code.Unavailable,
      Code.DataLoss,
    ]);
    expect(failed(client)).toHaveLength(16);
    expect([server.fails[0], client.fails[0]]).toEqual([false, false]);
    for (const side of [server, client]) {
      side.end.forEach((end, code) => {
        expect(end["error.type"]).toBe(side.fails[code] ? end["rpc.status_code"] : undefined);
      });
    }
  });
});

describe("parseAuthority", () => {
  it.each([
    ["example.org:8081", { address: "example.org", port: 8081 }],
    ["example.org", { address: "example.org" }],
    ["127.0.0.1:80", { address: "127.0.0.1", port: 80 }],
    ["[::1]:8081", { address: "::1", port: 8081 }],
    ["[fe80::1%25eth0]", { address: "fe80::1%25eth0" }],
    ["::1", undefined],
    ["user@example.org", undefined],
    ["example.org:port", undefined],
    ["", undefined],
  ])("%s", (authority, parsed) => {
    expect(parseAuthority(authority)).toEqual(parsed);
  });

  it("takes anything without a fault and keeps it short", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 600 }), (authority) => {
        expect(parseAuthority(authority)?.address.length ?? 0).toBeLessThanOrEqual(253);
      }),
    );
  });
});
