import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HttpResponse, HttpRoute } from "../routes.ts";
import { openHttp2, until } from "../testing/hostile-client.ts";
import { type Frame, flag, frame, frameType, headerBlock, readFrames } from "../testing/http2-frames.ts";
import { startServer, type TestServer } from "../testing/start-server.ts";

const route = (path: string, handle: HttpRoute["handle"]): HttpRoute => ({ path, handle });

/** The two kinds of responses have different types of the same function. */
function write(response: HttpResponse, bytes: string | Buffer, written: () => void = () => {}): void {
  (response as ServerResponse).write(bytes, written);
}

let server: TestServer;
beforeAll(async () => {
  server = await startServer({
    http: [
      route("/hello", async (_request, response) => {
        response.setHeader("content-length", 5);
        response.setHeader("set-cookie", ["a=1", "b=2"]);
        response.end("hello");
      }),
      route("/nothing", async (_request, response) => {
        response.statusCode = 204;
        response.end();
      }),
      route("/trailers", async (_request, response) => {
        write(response, "body");
        response.addTrailers({ "x-sum": "4" });
        response.end();
      }),
      route("/bad-header", async (_request, response) => {
        response.setHeader("x-bad", "a\u010d\u010ab");
        response.end("never");
      }),
      route("/reused", async (_request, response) => {
        const bytes = Buffer.alloc(50_000);
        for (let i = 0; i < 40; i++) {
          bytes.fill(i);
          await new Promise<void>((resolve) => write(response, bytes, resolve));
        }
        response.end();
      }),
      route("/request", async (request, response) => {
        const body = await text(request);
        response.end(JSON.stringify({ body, headers: request.headers, trailers: request.trailers }));
      }),
    ],
  });
});
afterAll(() => server.close(0));

async function ask(path: string, method = "GET", headers: OutgoingHttpHeaders = {}) {
  const session = connect(server.url);
  try {
    const stream = session.request({ ":path": path, ":method": method, ...headers });
    let trailers: IncomingHttpHeaders = {};
    stream.on("trailers", (fields) => {
      trailers = fields;
    });
    const [response] = await once(stream, "response");
    return { response, body: await text(stream), trailers };
  } finally {
    session.destroy();
  }
}

/** The frames that answer a request. */
async function framesOf(path: string, method: string): Promise<Frame[]> {
  const fields: [string, string][] = [
    [":method", method],
    [":scheme", "http"],
    [":path", path],
    [":authority", "test"],
  ];
  const asked = frame(frameType.headers, flag.endHeaders | flag.endStream, 1, headerBlock(fields));
  const socket = openHttp2(server.port, asked);
  let received = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  const own = () => readFrames(received).filter(({ stream }) => stream === 1);
  await until("it is answered", () => own().some(({ flags }) => (flags & flag.endStream) !== 0));
  socket.destroy();
  return own();
}

describe("a plain HTTP route", () => {
  it("answers with headers of every form, and the date", async () => {
    const { response, body } = await ask("/hello");
    expect(body).toBe("hello");
    expect(response).toMatchObject({ ":status": 200, "content-length": "5", "set-cookie": ["a=1", "b=2"] });
    expect(Math.abs(Date.parse(response.date) - Date.now())).toBeLessThan(5_000);
  });

  it.each([
    ["HEAD", "/hello", 200],
    ["GET", "/nothing", 204],
  ])("answers %s %s in one frame", async (method, path, status) => {
    const { response, body } = await ask(path, method);
    expect(response[":status"]).toBe(status);
    expect(body).toBe("");
    expect((await framesOf(path, method)).map(({ type }) => type)).toEqual([frameType.headers]);
  });

  it("sends trailers", async () => {
    expect(await ask("/trailers")).toMatchObject({ body: "body", trailers: { "x-sum": "4" } });
  });

  it("can't send a header that would be another one after a byte was cut off", async () => {
    const { response, body } = await ask("/bad-header");
    expect(response["x-bad"]).toBeUndefined();
    expect(response[":status"]).toBe(500);
    expect(body).not.toContain("never");
  });

  it("may use its memory again once a write is done", async () => {
    const { body } = await ask("/reused");
    expect(body).toBe(Array.from({ length: 40 }, (_, i) => String.fromCharCode(i).repeat(50_000)).join(""));
  });

  it("gets the request's headers as Node has them: some joined, some only once", async () => {
    const { body } = await ask("/request", "GET", { cookie: ["a=1", "b=2"], "x-many": ["1", "2"], "user-agent": "me" });
    expect(JSON.parse(body).headers).toMatchObject({ cookie: "a=1; b=2", "x-many": "1, 2", "user-agent": "me" });
  });

  it("gets the fields after the body", async () => {
    const session = connect(server.url);
    const stream = session.request({ ":path": "/request", ":method": "POST" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "4" }));
    stream.end("body");
    expect(JSON.parse(await text(stream))).toMatchObject({ body: "body", trailers: { "x-sum": "4" } });
    session.destroy();
  });
});
