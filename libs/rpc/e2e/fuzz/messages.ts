import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { CountRequestSchema, EchoRequestSchema } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { envelope } from "../../src/testing/hostile-client.ts";
import { mutate } from "./mutate.ts";
import type { Random } from "./random.ts";

export const methods = ["Echo", "EchoUser", "Count", "Sum", "Chat", "Nothing"] as const;

export const contentTypes = [
  "application/grpc",
  "application/grpc+proto",
  "application/grpc+json",
  "application/grpc-web",
  "application/grpc-web+proto",
  "application/grpc-web+json",
  "application/grpc-web-text",
  "application/proto",
  "application/json",
  "application/json; charset=utf-8",
  "application/connect+proto",
  "application/connect+json",
  "application/yaml",
  "text/plain",
  "application/grpc+",
  "application/grpc;",
  "",
] as const;

/** A body that suits the content type, or did before it was damaged. */
export function body(type: string, random: Random): Buffer {
  const text = random.pick(["hello", "", "x".repeat(random.int(0, 3000)), "\u{1f600}"]);
  const echo = create(EchoRequestSchema, { text, words: random.chance(0.3) ? ["a", "b"] : [] });
  const message = type.includes("json")
    ? Buffer.from(toJsonString(EchoRequestSchema, echo))
    : Buffer.from(
        random.chance(0.7)
          ? toBinary(EchoRequestSchema, echo)
          : toBinary(CountRequestSchema, create(CountRequestSchema, { count: random.int(0, 20) })),
      );
  const enveloped = type.startsWith("application/grpc") || type.startsWith("application/connect");
  const count = random.pick([1, 1, 1, 0, 2, 5]);
  const whole = enveloped
    ? Buffer.concat(
        Array.from({ length: count }, () => {
          const flags = random.chance(0.8) ? 0 : random.pick([1, 2, 3, 0x80, 0xff]);
          const length = random.chance(0.8)
            ? message.length
            : random.pick([0, 1, message.length + 1, 4 * 1024 * 1024 + 1, 0x7fffffff, 0xffffffff]);
          return envelope(random.chance(0.8) ? message : mutate(message, random), flags, length);
        }),
      )
    : message;
  return random.chance(0.6) ? whole : mutate(whole, random);
}
