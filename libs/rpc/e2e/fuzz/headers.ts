import { contentTypes, methods } from "./messages.ts";
import type { Random } from "./random.ts";

export type Field = readonly [name: string, value: string];

const timeouts = ["1S", "100m", "0m", "99999999H", "123456789S", "-1S", "1", "S", "", "1.5S", "1s", "NaNm"] as const;
const encodings = ["identity", "gzip", "br", "deflate", "zip", "gzip,br", "", "\u00ff"] as const;
const lengths = ["0", "5", "10", "1000", "-1", "1e3", "many", "99999999999999999999"] as const;
const names = [
  "x-note",
  "X-Loud",
  "a b",
  "",
  "x-bin-bin",
  "x-\u00e9",
  "authorization",
  "traceparent",
  "cookie",
  "host",
] as const;

/** Header fields of a request, right for the most part. */
export function requestFields(random: Random): Field[] {
  const type = random.pick(contentTypes);
  const method = random.pick(methods);
  const fields: Field[] = [
    [":method", random.chance(0.95) ? "POST" : random.pick(["GET", "PUT", "OPTIONS", "HEAD", "CONNECT", "", "post"])],
    [":scheme", random.chance(0.97) ? "http" : random.pick(["https", "", "ftp", "\u0001"])],
    [":path", path(method, random)],
    [":authority", random.chance(0.95) ? "test" : random.pick(["", "[nonsense", "a b", "x".repeat(3000), "@:"])],
    ["content-type", type],
  ];
  if (random.chance(0.8)) {
    fields.push(["te", random.chance(0.9) ? "trailers" : "gzip"]);
  }
  if (random.chance(0.3)) {
    fields.push(["grpc-timeout", random.pick(timeouts)]);
  }
  if (random.chance(0.1)) {
    fields.push(["connect-timeout-ms", random.pick(["100", "0", "-5", "99999999999", "soon", ""])]);
  }
  if (random.chance(0.15)) {
    fields.push([
      random.pick(["grpc-encoding", "content-encoding", "connect-content-encoding"]),
      random.pick(encodings),
    ]);
  }
  if (random.chance(0.15)) {
    fields.push([random.pick(["grpc-accept-encoding", "accept-encoding"]), random.pick(encodings)]);
  }
  if (random.chance(0.1)) {
    fields.push(["connect-protocol-version", random.pick(["1", "2", "", "one"])]);
  }
  if (random.chance(0.08)) {
    fields.push(["content-length", random.pick(lengths)]);
  }
  for (let count = random.pick([0, 0, 0, 1, 2, 120]); count > 0; count--) {
    fields.push([random.pick(names), value(random)]);
  }
  if (random.chance(0.05)) {
    fields.splice(random.int(0, fields.length), 1);
  }
  if (random.chance(0.03)) {
    fields.push([random.pick([":path", ":status", ":mood", "connection", "transfer-encoding"]), "x"]);
  }
  return fields;
}

function path(method: string, random: Random): string {
  const right = `/kinora.testing.v1.EchoService/${method}`;
  return random.chance(0.93)
    ? right
    : random.pick([
        "",
        "/",
        "*",
        `${right}?a=b`,
        `${right}/`,
        "//",
        "/%",
        "/\u0000",
        `/${"x".repeat(2000)}`,
        "http://x/y",
      ]);
}

function value(random: Random): string {
  return random.pick([
    "1",
    "",
    "Bearer user",
    "Bearer ".padEnd(500, "x"),
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    " padded ",
    "a\r\nb: c",
    "a\0b",
    "\u00ff\u00fe",
    random.bytes(random.int(0, 30)).toString("latin1"),
    "y".repeat(random.int(0, 4000)),
  ]);
}

/** Header fields of a reply, of a server that may mean it or not. */
export function replyFields(type: string, random: Random): Field[] {
  const fields: Field[] = [];
  if (random.chance(0.95)) {
    fields.push([
      ":status",
      random.chance(0.8) ? "200" : random.pick(["204", "302", "404", "429", "503", "100", "600", "0", "x", ""]),
    ]);
  }
  if (random.chance(0.93)) {
    fields.push(["content-type", random.chance(0.85) ? type : random.pick(contentTypes)]);
  }
  if (random.chance(0.1)) {
    fields.push(["grpc-encoding", random.pick(encodings)]);
  }
  if (random.chance(0.08)) {
    fields.push(["content-encoding", random.pick(encodings)]);
  }
  if (random.chance(0.08)) {
    fields.push(["content-length", random.pick(lengths)]);
  }
  if (random.chance(0.2)) {
    fields.push([random.pick(names), value(random)]);
  }
  if (random.chance(0.1)) {
    fields.push(...statusFields(random));
  }
  return fields;
}

/** How a gRPC call ends. */
export function statusFields(random: Random): Field[] {
  const fields: Field[] = [
    [
      "grpc-status",
      random.chance(0.5) ? "0" : random.pick(["1", "14", "16", "17", "-1", "", "x", "00", "4294967296", "1 "]),
    ],
  ];
  if (random.chance(0.5)) {
    fields.push([
      "grpc-message",
      random.pick(["", "no", "%", "%2", "%zz", "%e2%82", "%f0%9f%98%80", "a%00b", "\u00ff", "%".repeat(500)]),
    ]);
  }
  if (random.chance(0.2)) {
    fields.push(["grpc-status-details-bin", random.pick(["", "AAAA", "!", "CAUSBG5vcGU", "=".repeat(9), "//8"])]);
  }
  if (random.chance(0.1)) {
    fields.push(["grpc-retry-pushback-ms", random.pick(["1", "-1", "x", "99999999999999"])]);
  }
  return fields;
}
