import { connect } from "node:net";
import { createServer, type RpcServer } from "@kinora/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Person, type ServiceUnderTest, startServiceUnderTest } from "./testing/service-under-test.ts";

// Bytes that no well-meaning client sends, over a plain socket: who calls stays clear, and whatever can't be read is refused.

let kinora: ServiceUnderTest;
let server: RpcServer;
let port: number;
let ada: Person;
let bob: Person;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
  [ada, bob] = [await kinora.join("Ada"), await kinora.join("Bob")];
  server = createServer(kinora.options());
  ({ port } = await server.listen({ port: 0, host: "127.0.0.1" }));
});
afterAll(async () => {
  await server?.close();
  await kinora?.close();
});

type Bytes = string | Buffer;
const crlf = "\r\n";

/** A call as JSON over HTTP/1.1. */
function request(method: string, body: Bytes, headers: string[] = [], type = "application/json"): Buffer {
  const head = [
    `POST /user.v1.SessionService/${method} HTTP/1.1`,
    "Host: kinora.example",
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
  ];
  return Buffer.concat([Buffer.from(head.join(crlf) + crlf + crlf, "latin1"), Buffer.from(body)]);
}

/** What comes back on a connection until the server ends it, or has answered so often. */
async function send(bytes: Bytes, answers = 1): Promise<{ status: number; body: string }[]> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.write(bytes);
  socket.on("error", () => {});
  for await (const chunk of socket) {
    text += chunk.toString("utf8");
    if (split(text).filter(({ whole }) => whole).length >= answers) break;
  }
  return split(text);
}

/** The answers that a text has, by their lengths. */
function split(text: string): { status: number; body: string; whole: boolean }[] {
  const found = [];
  for (let rest = text; rest.startsWith("HTTP/1.1 "); ) {
    const end = rest.indexOf(crlf + crlf);
    const length = Number(/^content-length: (\d+)/im.exec(rest.slice(0, end))?.[1] ?? 0);
    const body =
      end < 0
        ? ""
        : Buffer.from(rest.slice(end + 4))
            .subarray(0, length)
            .toString();
    found.push({ status: Number(rest.slice(9, 12)), body, whole: end >= 0 && Buffer.byteLength(body) === length });
    rest = end < 0 ? "" : rest.slice(end + 4 + body.length);
  }
  return found;
}

const statusOf = async (bytes: Bytes) => (await send(bytes))[0]?.status;
const bearer = ({ accessToken }: Person) => `Authorization: Bearer ${accessToken}`;

describe("who calls", () => {
  const whoIs = (body: string) => (JSON.parse(body) as { user?: { name: string } }).user?.name;

  it("is each request's own, though they come in one piece", async () => {
    const calls = [[bearer(ada)], [], [bearer(bob)], [], [bearer(ada)], ["Authorization: Bearer x"], [bearer(bob)]];
    const answers = await send(
      Buffer.concat(calls.map((headers) => request("GetSession", "{}", headers))),
      calls.length,
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 200, 401, 200, 401, 200]);
    expect(answers.map(({ body }) => whoIs(body))).toEqual([
      "Ada",
      undefined,
      "Bob",
      undefined,
      "Ada",
      undefined,
      "Bob",
    ]);
  });

  it("isn't whom a login that failed was about", async () => {
    const wrong = JSON.stringify({ email: ada.email, password: "not the password of hers" });
    const answers = await send(Buffer.concat([request("CreateSession", wrong), request("GetSession", "{}")]), 2);
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
  });

  it.each<[string, (token: string) => string]>([
    [
      "in a trailer",
      (token) => `Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n2\r\n{}\r\n0\r\n${token}\r\n\r\n`,
    ],
    [
      "on a line of its own that goes on with the one before",
      (token) => `Content-Length: 2\r\n${token.replace(" B", "\r\n B")}\r\n\r\n{}`,
    ],
    ["with a blank before the colon", (token) => `Content-Length: 2\r\n${token.replace(":", " :")}\r\n\r\n{}`],
    ["twice in one line", (token) => `Content-Length: 2\r\n${token}, ${token}\r\n\r\n{}`],
    ["after a bad one", (token) => `Content-Length: 2\r\nAuthorization: Bearer x\r\n${token}\r\n\r\n{}`],
  ])("isn't said %s", async (_, rest) => {
    const head = `POST /user.v1.SessionService/GetSession HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
    expect([400, 401]).toContain(await statusOf(head + rest(bearer(ada))));
  });

  it.each([
    ["two ways to say how long it is", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "],
    ["a length that is none", "Content-Length: 2x\r\n\r\n{}"],
    ["an encoding that nobody knows", "Transfer-Encoding: xchunked\r\n\r\n{}"],
  ])("can't be hidden by %s: nothing after it is taken for a request", async (_, rest) => {
    const head = `POST /user.v1.SessionService/GetSession HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
    const answers = await send(
      Buffer.concat([Buffer.from(head + rest), request("GetSession", "{}", [bearer(ada)])]),
      2,
    );
    expect(answers.map(({ status }) => status)).not.toContain(200);
  });

  it("is asked of no more headers than a server holds", async () => {
    expect(await statusOf(request("GetSession", "{}", [`X-Big: ${"x".repeat(100_000)}`]))).toBe(431);
    const many = Array.from({ length: 5_000 }, (_, at) => `x-${at}: 1`);
    expect(await statusOf(request("GetSession", "{}", many))).toBe(431);
  });
});

describe("a login", () => {
  const login = (body: Bytes, type?: string) => send(request("CreateSession", body, [], type));
  const good = () => JSON.stringify({ email: ada.email, password: ada.password });

  it.each<[string, () => Bytes, number]>([
    ["an address with NUL", () => JSON.stringify({ email: "a\0@example.com", password: "x".repeat(20) }), 400],
    ["a password with NUL", () => JSON.stringify({ email: ada.email, password: "x\0".repeat(10) }), 401],
    ["half a character in its password", () => `{"email":"${ada.email}","password":"\\ud800${"x".repeat(20)}"}`, 400],
    ["half a character in its address", () => `{"email":"a\\ud800@example.com","password":"${"x".repeat(20)}"}`, 400],
    [
      "bytes that are no UTF-8",
      () => Buffer.from(`{"email":"${ada.email}","password":"p\u00e4sswort"}`, "latin1"),
      400,
    ],
    ["a megabyte of address", () => JSON.stringify({ email: `${"a".repeat(1e6)}@example.com`, password: "x" }), 400],
    ["a field twice", () => `{"email":"${bob.email}",${good().slice(1)}`, 400],
    ["a field twice, by an escape", () => String.raw`{"\u0065mail":"x@example.com",` + good().slice(1), 400],
    ["its fields in __proto__", () => `{"__proto__":${good()}}`, 400],
    ["a list in place of an address", () => `{"email":["${ada.email}"],"password":"${ada.password}"}`, 400],
    ["brackets without an end", () => "[".repeat(100_000), 400],
  ])("with %s is refused", async (_, body, status) => {
    expect((await login(body()))[0]?.status).toBe(status);
  });

  it.each([
    "text/plain",
    "text/plain; application/json",
    "application/json, text/plain",
    "application/json; charset=utf-16",
    "application/json; charset=utf-8; charset=utf-7",
    "application/jsonx",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=application/json",
    "",
  ])("as %j is refused", async (type) => {
    expect((await login(good(), type))[0]?.status).toBe(415);
  });

  it("is taken as what it is", async () => {
    for (const type of ["application/json", "application/json; charset=utf-8", "Application/JSON"])
      expect((await login(good(), type))[0]?.status).toBe(200);
  });
});

describe("a browser's cookie", () => {
  const ownPage = ["Kinora-Cookies: 1", "Sec-Fetch-Site: same-origin", "Origin: https://kinora.example"];
  const refresh = async (headers: string[]) => await statusOf(request("RefreshSession", "{}", headers));
  let value: string;
  beforeAll(async () => {
    const socket = connect(port, "127.0.0.1");
    socket.write(request("CreateSession", JSON.stringify({ email: ada.email, password: ada.password }), ownPage));
    for await (const chunk of socket) {
      value = /__Host-kinora_session=([\w-]{43})/.exec(String(chunk))?.[1] ?? "";
      break;
    }
  });

  it.each<[string, (value: string) => string[]]>([
    ["twice in a header", (v) => [`Cookie: __Host-kinora_session=${v}; __Host-kinora_session=other`]],
    ["twice in a header, the same", (v) => [`Cookie: __Host-kinora_session=${v}; __Host-kinora_session=${v}`]],
    ["in two headers", (v) => ["Cookie: __Host-kinora_session=other", `Cookie: __Host-kinora_session=${v}`]],
    ["by a name in other letters, which other hosts may set", (v) => [`Cookie: __host-kinora_session=${v}`]],
    ["by the name that it has without TLS", (v) => [`Cookie: kinora_session=${v}`]],
    ["in quotes", (v) => [`Cookie: __Host-kinora_session="${v}"`]],
    ["after a comma", (v) => [`Cookie: a=b,__Host-kinora_session=${v}`]],
  ])("is none %s", async (_, headers) => {
    expect(value).not.toBe("");
    expect(await refresh([...ownPage, ...headers(value)])).toBe(400);
  });

  it("is no other site's, whatever that one says besides", async () => {
    const cookie = `Cookie: __Host-kinora_session=${value}`;
    const [asks = "", own = "", origin = ""] = ownPage;
    expect(await refresh([asks, own, "Sec-Fetch-Site: cross-site", origin, cookie])).toBe(403);
    expect(await refresh([asks, "Sec-Fetch-Site: cross-site", own, origin, cookie])).toBe(403);
    expect(await refresh([asks, origin, "Origin: https://evil.example", cookie, "Sec-Fetch-Site: cross-site"])).toBe(
      403,
    );
  });

  it("is still good after all that", async () => {
    expect(await refresh([...ownPage, `Cookie: __Host-kinora_session=${value}`])).toBe(200);
  });
});
