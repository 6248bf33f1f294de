import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sendWebhook } from "./send-webhook.ts";

const request = { headers: {}, body: "{}" };
const sockets = new Set<import("node:net").Socket>();
let answer: (socket: import("node:net").Socket) => void = () => {};
const server = createServer((socket) => {
  sockets.add(socket.on("error", () => {}));
  socket.once("data", () => answer(socket));
});
let url = "";

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address !== null && typeof address === "object") url = `http://127.0.0.1:${address.port}/`;
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

const send = (to: string, targets: "public" | "any" = "any", signal = AbortSignal.timeout(10_000)) =>
  sendWebhook(to, request, targets, signal);

it("reaches nothing that isn't public, by whatever name", async () => {
  const hit = Promise.withResolvers<string>();
  answer = () => hit.resolve("reached");
  const port = new URL(url).port;
  for (const host of ["127.0.0.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]"]) {
    await expect(send(`https://${host}:${port}/`, "public"), host).rejects.toThrow(/public internet/);
  }
  await expect(send(url, "public")).rejects.toThrow("must begin with https:");
  expect(await Promise.race([hit.promise, "nobody"])).toBe("nobody");
});

it("asks what a name stands for, and checks that", async () => {
  // A name that every system has, which stands for this machine: allowed by its form, were it not for its address.
  const { lookup } = await import("node:dns/promises");
  const { hostname } = await import("node:os");
  const own = await lookup(hostname()).then(
    ({ address }) => address,
    () => undefined,
  );
  if (own !== undefined)
    await expect(send(`https://${hostname()}.:1/`, "public")).rejects.toThrow(/public internet|no address/);
  await expect(send("https://does-not-exist.invalid/", "public")).rejects.toThrow(/no address/);
});

it("takes any answer for one, reads little of it, and says how long to wait", async () => {
  answer = (socket) => socket.end("HTTP/1.1 503 No\r\nretry-after: 17\r\ncontent-length: 0\r\n\r\n");
  expect(await send(url)).toEqual({ status: 503, retryAfterSeconds: 17 });
  let sent = 0;
  answer = (socket) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    const pour = () => {
      while (socket.writable && socket.write(Buffer.alloc(65_536))) sent += 65_536;
    };
    socket.on("drain", pour);
    pour();
  };
  expect(await send(url)).toEqual({ status: 200, retryAfterSeconds: undefined });
  expect(sent).toBeLessThan(64 * 1024 * 1024);
});

it("waits for nobody for ever", async () => {
  answer = () => {};
  await expect(send(url, "any", AbortSignal.timeout(100))).rejects.toThrow("There was no answer in time.");
  await expect(send("http://127.0.0.1:1/")).rejects.toThrow(/no answer \(ECONNREFUSED\)/);
  answer = (socket) => socket.end("nonsense\r\n\r\n");
  await expect(send(url)).rejects.toThrow(/no answer \(HPE_/);
  await expect(send(url, "any", AbortSignal.abort())).rejects.toThrow(/in time/);
});
