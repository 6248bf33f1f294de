import { describe, expect, it } from "vitest";
import { withDeadline } from "./deadline-header.ts";

describe("withDeadline", () => {
  it.each([
    ["none", {}, 10_000, { connect: "10000", grpc: "10000m" }],
    ["none, for a stream", {}, undefined, { connect: null, grpc: null }],
    ["one of Connect", { "connect-timeout-ms": "5" }, 10_000, { connect: "5", grpc: "10000m" }],
    ["one of gRPC", { "grpc-timeout": "3S" }, 10_000, { connect: "10000", grpc: "3S" }],
    [
      "the longest that a timer can wait",
      { "grpc-timeout": "2147483S" },
      undefined,
      { connect: null, grpc: "2147483S" },
    ],
    ["a longer one of gRPC", { "grpc-timeout": "1000H" }, undefined, { connect: null, grpc: "2147483S" }],
    [
      "a longer one of Connect",
      { "connect-timeout-ms": "9999999999" },
      undefined,
      { connect: "2147483647", grpc: null },
    ],
    ["one that can't be read", { "grpc-timeout": "soon" }, undefined, { connect: null, grpc: "soon" }],
  ])("given %s", (_name, given, defaultMs, expected) => {
    const header = withDeadline(new Headers(given), defaultMs);
    expect({ connect: header.get("connect-timeout-ms"), grpc: header.get("grpc-timeout") }).toEqual(expected);
  });
});
