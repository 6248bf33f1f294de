import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endOfHead, simpleHead } from "./simple-request.ts";

const limits = { headerBytes: 16_384, headerFields: 100 };
const head = (...lines: string[]) => ["POST /a.B/C HTTP/1.1", ...lines].join("\r\n");

describe("a simple head", () => {
  it("says what is asked for, and how long its body is", () => {
    const read = simpleHead(head("Host: x", "Content-Type: application/json", "content-length: 12"), limits);
    expect(read?.fields.path).toBe("/a.B/C");
    expect(read?.fields.get("content-type")).toBe("application/json");
    expect(read?.bodyBytes).toBe(12);
  });

  it.each([
    ["another method", "GET /a.B/C HTTP/1.1\r\nHost: x\r\nContent-Length: 0"],
    ["another version", "POST /a.B/C HTTP/1.0\r\nHost: x\r\nContent-Length: 0"],
    ["a query", "POST /a.B/C?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0"],
    ["a whole address", "POST http://x/a.B/C HTTP/1.1\r\nHost: x\r\nContent-Length: 0"],
    ["two blanks", "POST  /a.B/C HTTP/1.1\r\nHost: x\r\nContent-Length: 0"],
    ["no host", head("Content-Length: 0")],
    ["two hosts", head("Host: x", "Host: y", "Content-Length: 0")],
    ["no length", head("Host: x")],
    ["two lengths", head("Host: x", "Content-Length: 5", "Content-Length: 5")],
    ["a list of lengths", head("Host: x", "Content-Length: 5, 5")],
    ["a length with a sign", head("Host: x", "Content-Length: +5")],
    ["a length in hexadecimal", head("Host: x", "Content-Length: 0x5")],
    ["a length with a zero in front", head("Host: x", "Content-Length: 05")],
    ["chunks", head("Host: x", "Content-Length: 5", "Transfer-Encoding: chunked")],
    ["chunks, oddly spelt", head("Host: x", "Content-Length: 5", "tRANSFER-eNCODING: identity")],
    ["an expectation", head("Host: x", "Content-Length: 5", "Expect: 100-continue")],
    ["an upgrade", head("Host: x", "Content-Length: 5", "Connection: upgrade", "Upgrade: h2c")],
    ["a connection that closes", head("Host: x", "Content-Length: 5", "Connection: close")],
    ["a blank in front of the colon", head("Host: x", "Content-Length : 5")],
    ["a folded line", head("Host: x", "X-A: 1", " Content-Length: 5", "Content-Length: 6")],
    ["a tab", head("Host: x", "Content-Length:\t5")],
    ["a lone line feed", head("Host: x", "X-A: 1\nContent-Length: 6", "Content-Length: 5")],
    ["a lone carriage return", head("Host: x", "X-A: 1\rContent-Length: 6", "Content-Length: 5")],
    ["a zero byte", head("Host: x", "X-A: 1\0", "Content-Length: 5")],
    ["what isn't ASCII", head("Host: x", "X-A: \xe9", "Content-Length: 5")],
    ["an underscore's cousin", head("Host: x", "Content\u00adLength: 5")],
    ["a line without a colon", head("Host: x", "Content-Length: 5", "nonsense")],
    ["too many fields", head("Host: x", "Content-Length: 5", ...Array(100).fill("x-a: 1"))],
    ["too much", head("Host: x", "Content-Length: 5", `X-A: ${"x".repeat(17_000)}`)],
  ])("isn't one with %s", (_name, lines) => {
    expect(simpleHead(lines, limits)).toBeUndefined();
  });
});

describe("whatever passes for simple", () => {
  const seen: {
    method: string | undefined;
    url: string | undefined;
    headers: IncomingMessage["headers"];
    body: string;
  }[] = [];
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    seen.push({ method, url, headers, body: await text(request) });
    response.end();
  });
  beforeAll(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
  });
  afterAll(() => server.close());

  const line = fc.oneof(
    fc
      .tuple(fc.constantFrom("X-A", "x-b", "Accept", "te", "Connection", "Content-Type"), fc.string({ maxLength: 6 }))
      .map(([name, value]) => `${name}: ${value}`),
    fc.constantFrom(
      "Host: x",
      "Content-Length: 3",
      "Content-Length: 2",
      "Transfer-Encoding: chunked",
      "Connection: keep-alive",
    ),
    fc.string({ unit: fc.constantFrom(..."aA1:- \t\r\n\0,;_"), maxLength: 8 }),
  );

  it("is the same to Node", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 5 }), async (lines) => {
        const asked = head("Host: x", "Content-Length: 3", ...lines);
        const read = simpleHead(asked, limits);
        if (read === undefined) {
          return;
        }
        seen.length = 0;
        const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
        socket.end(Buffer.from(`${asked}${endOfHead}abc`, "latin1"));
        expect(await text(socket)).toMatch(/^HTTP\/1.1 200 /);
        expect(seen).toHaveLength(1);
        expect(seen[0]).toMatchObject({ method: "POST", url: read.fields.path, body: "abc" });
        for (const [name, value] of Object.entries(seen[0]?.headers ?? {})) {
          expect(read.fields.get(name)).toBe(value);
        }
      }),
      { numRuns: 500 },
    );
  });
});
