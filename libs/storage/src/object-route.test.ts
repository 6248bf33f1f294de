import { once } from "node:events";
import { readdir } from "node:fs/promises";
import http from "node:http";
import http2 from "node:http2";
import { connect } from "node:net";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FolderStore, openFolderStore } from "./folder-store.ts";
import { objectRoute } from "./object-route.ts";
import { describeSigned } from "./testing/conformance.ts";

let store: FolderStore;
let base: string;
let h2base: string;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const servers: (http.Server | http2.Http2Server)[] = [];

async function listen(server: http.Server | http2.Http2Server): Promise<string> {
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  store = await openFolderStore({
    folder: join(folder.path, "objects"),
    secretFile: join(folder.path, "secret"),
    baseUrl: () => base,
  });
  const route = objectRoute(store);
  base = await listen(http.createServer((request, response) => void route.handle(request, response)));
  h2base = await listen(http2.createServer((request, response) => void route.handle(request, response)));
  await store.put("v/source", "0123456789");
});

afterAll(async () => {
  for (const server of servers) {
    if (server instanceof http.Server) server.closeAllConnections();
    server.close();
  }
  await folder.remove();
});

const get = (key: string) => store.sign(key, { method: "GET", expiresInSeconds: 60 });
const put = (key: string, maxBytes?: number) =>
  store.sign(key, { method: "PUT", expiresInSeconds: 60, ...(maxBytes === undefined ? {} : { maxBytes }) });

// On a folder of the same route; its prefix is emptied between the tests.
describeSigned("a folder", async () => {
  await store.deletePrefix("a/");
  return store;
});

describe("signed addresses", () => {
  it("read an object, whole, in part and not at all", async () => {
    const url = await get("v/source");
    const whole = await fetch(url);
    expect([whole.status, await whole.text(), whole.headers.get("accept-ranges")]).toEqual([
      200,
      "0123456789",
      "bytes",
    ]);
    const part = await fetch(url, { headers: { range: "bytes=2-4" } });
    expect([part.status, await part.text(), part.headers.get("content-range")]).toEqual([206, "234", "bytes 2-4/10"]);
    const suffix = await fetch(url, { headers: { range: "bytes=-3" } });
    expect([suffix.status, await suffix.text()]).toEqual([206, "789"]);
    const beyond = await fetch(url, { headers: { range: "bytes=10-" } });
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */10"]);
    const head = await fetch(url, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "10", ""]);
    const unchanged = await fetch(url, { headers: { "if-none-match": whole.headers.get("etag") ?? "" } });
    expect([unchanged.status, await unchanged.text()]).toEqual([304, ""]);
    const stale = await fetch(url, { headers: { range: "bytes=0-0", "if-range": '"other"' } });
    expect(stale.status).toBe(200);
    expect((await fetch(await get("v/none"))).status).toBe(404);
  });

  it("are for one method, one key and one time", async () => {
    const url = new URL(await get("v/source"));
    expect((await fetch(url, { method: "PUT", body: "x" })).status).toBe(405);
    expect((await fetch(await put("v/other"), { method: "GET" })).status).toBe(405);
    const expired = await store.sign("v/source", { method: "GET", expiresInSeconds: -2 });
    expect((await fetch(expired)).status).toBe(403);
    expect((await fetch(`${base}/objects/v/other${url.search}`)).status).toBe(403);
    expect((await fetch(`${base}/objects/v/source`)).status).toBe(403);
  });

  it("write an object with a stated length, up to the limit", async () => {
    const written = await fetch(await put("v/e/1.m4s"), { method: "PUT", body: "segment" });
    expect(written.status).toBe(201);
    expect(await (await fetch(await get("v/e/1.m4s"))).text()).toBe("segment");
    expect((await fetch(await put("v/e/2.m4s", 3), { method: "PUT", body: "segment" })).status).toBe(413);
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from("chunked"));
        controller.close();
      },
    });
    const chunked = await fetch(await put("v/e/2.m4s"), { method: "PUT", body, duplex: "half" } as RequestInit);
    expect(chunked.status).toBe(411);
    expect(await store.stat("v/e/2.m4s")).toBeUndefined();
  });

  it("leave nothing when the writer goes away half way", async () => {
    const url = new URL(await put("v/e/3.m4s"));
    const socket = connect(Number(url.port), "127.0.0.1");
    socket.write(
      `PUT ${url.pathname}${url.search} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n${"x".repeat(100_000)}`,
    );
    await expect.poll(() => readdir(join(folder.path, "objects/.scratch"))).toHaveLength(1);
    socket.destroy();
    await expect.poll(() => readdir(join(folder.path, "objects/.scratch"))).toHaveLength(0);
    expect(await store.stat("v/e/3.m4s")).toBeUndefined();
  });

  it("lead nowhere else, however the path is written", async () => {
    const { search } = new URL(await get("v/source"));
    const raw = (path: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        http.get(`${base}`, { path }, (response) => resolve(response.resume().statusCode)).on("error", reject);
      });
    for (const path of [
      "/objects/../secret",
      "/objects/v/../../secret",
      "/objects/%2e%2e/secret",
      "/objects//etc/passwd",
      "/objects/",
      "/objects/.scratch/x",
      "/objects/v%2fsource",
    ]) {
      expect([403, 404], path).toContain(await raw(path + search));
    }
  });

  it("work over HTTP/2 as well", async () => {
    const session = http2.connect(h2base);
    const call = (url: string, headers: http2.OutgoingHttpHeaders, body?: string) =>
      new Promise<{ status: unknown; body: string; range: unknown }>((resolve, reject) => {
        const { pathname, search } = new URL(url);
        const stream = session.request({ ":path": pathname + search, ...headers });
        let status: unknown;
        let range: unknown;
        let text = "";
        stream.on("response", (answer) => {
          status = answer[":status"];
          range = answer["content-range"];
        });
        stream.setEncoding("utf8").on("data", (chunk) => {
          text += chunk;
        });
        stream.on("end", () => resolve({ status, body: text, range })).on("error", reject);
        stream.end(body);
      });
    expect(await call(await put("v/h2"), { ":method": "PUT", "content-length": 5 }, "hello")).toMatchObject({
      status: 201,
    });
    expect(await call(await get("v/h2"), { range: "bytes=1-2" })).toEqual({
      status: 206,
      body: "el",
      range: "bytes 1-2/5",
    });
    expect(await call(await put("v/h2b", 2), { ":method": "PUT", "content-length": 5 }, "hello")).toMatchObject({
      status: 413,
    });
    expect(await call(`${h2base}/objects/v/h2`, {})).toMatchObject({ status: 403 });
    session.close();
  });
});
