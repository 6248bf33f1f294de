import { readdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { playerPage, playerPagePolicy } from "./player-page.ts";
import { playerFolder, playerRoute } from "./player-route.ts";

const { handle } = playerRoute();
const server = createServer((request, response) => void handle(request, response));
let base: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const page = playerPage("4ce3d6d0-6a1c-4d6f-9d0e-0a3f1c1f8a11");

it("consists of files that the route serves, each with what it imports", async () => {
  const seen = new Map<string, string | null>();
  const visit = async (path: string): Promise<void> => {
    if (seen.has(path)) return;
    const answer = await fetch(base + path);
    expect([path, answer.status]).toEqual([path, 200]);
    seen.set(path, answer.headers.get("content-type"));
    const text = await answer.text();
    if (path.endsWith("/hls.js")) return;
    for (const [, name] of text.matchAll(/^import .* from "\.\/(.+)";$/gm)) await visit(playerFolder + name);
  };
  for (const [, path = ""] of page.matchAll(/(?:src|href)="(\/player\/[^"]+)"/g)) await visit(path);
  const own = (await readdir(new URL("./browser/", import.meta.url))).filter((name) => !name.includes(".test."));
  expect([...seen.keys()].sort()).toEqual([...own, "hls.js"].map((name) => playerFolder + name).sort());
  expect(seen.get("/player/player.css")).toBe("text/css; charset=utf-8");
  expect(seen.get("/player/main.js")).toBe("text/javascript; charset=utf-8");
});

it("has nothing inline, which its policy forbids", () => {
  expect(page).not.toMatch(/<style|<script>|<script(?![^>]*src=)| style=| on[a-z]+=/);
  expect(playerPagePolicy()).not.toContain("unsafe");
  expect(playerPagePolicy("https://cdn.example.org")).toContain("connect-src 'self' https://cdn.example.org;");
});

it("serves nothing else", async () => {
  expect((await fetch(`${base}/player/main.test.js`)).status).toBe(404);
  expect((await fetch(`${base}/player/`)).status).toBe(404);
  expect((await fetch(`${base}/player/main.js`, { method: "POST" })).status).toBe(405);
  const head = await fetch(`${base}/player/main.js`, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
});
