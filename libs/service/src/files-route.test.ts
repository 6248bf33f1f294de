import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { filesRoute } from "./files-route.ts";

const route = filesRoute({
  folder: "/page/",
  files: new Map([
    ["a.js", new URL("./files-route.ts", import.meta.url).href],
    ["b.css", new URL("./files-route.ts", import.meta.url).href],
  ]),
  keepSeconds: { "a.js": 60 },
});
let server: Server;
let origin: string;
beforeAll(async () => {
  server = createServer((request, response) => void route.handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

it.each([
  ["a.js", "text/javascript; charset=utf-8", "public, max-age=60"],
  ["b.css", "text/css; charset=utf-8", "public, max-age=5"],
])("serves %s for what it is", async (name, type, keep) => {
  const answer = await fetch(`${origin}/page/${name}?release=1`);
  expect(answer.status).toBe(200);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    "content-type": type,
    "cache-control": keep,
    "x-content-type-options": "nosniff",
  });
  expect(await answer.text()).toContain("filesRoute");
  const head = await fetch(`${origin}/page/${name}`, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
  expect(head.headers.get("content-length")).toBe(answer.headers.get("content-length"));
});

it.each(["", "c.js", "%2e%2e/a.js", "..%2ffiles-route.ts", "a.js/", "constructor"])("has no %j", async (name) => {
  expect((await fetch(`${origin}/page/${name}`)).status).toBe(404);
});

it("is only read", async () => {
  const answer = await fetch(`${origin}/page/a.js`, { method: "POST", body: "x" });
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});
