import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { echoPath, open, until, untilClosed } from "../../testing/hostile-client.ts";
import { startServer, type TestServer } from "../../testing/start-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ limits: { keepAliveMs: 400, lingerMs: 200 } });
});
afterAll(() => server.close(0));

const call = (text: string, ...more: string[]) => {
  const body = JSON.stringify({ text });
  const lines = [`POST ${echoPath} HTTP/1.1`, "Host: test", "Content-Type: application/json", ...more];
  return `${lines.join("\r\n")}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

/** Collects what comes, and tells of each answer its status and its text. */
function answersOn(socket: Socket): () => string[] {
  let received = "";
  socket.on("data", (chunk: Buffer) => {
    received += String(chunk);
  });
  return () =>
    [...received.matchAll(/HTTP\/1\.1 (\d+)|"text":\s?"(\w*)"/g)].map(([, status, text]) => status ?? text ?? "");
}

const closing = "Connection: close";

describe("a connection", () => {
  it("answers simple requests one after the other, and the others of Node's as well", async () => {
    const socket = open(server.port);
    const answers = answersOn(socket);
    const expected: string[] = [];
    for (const [text, more] of [["one"], ["two"], ["three", "X-Other: tabs\tand more"], ["four"], ["five", closing]]) {
      socket.write(call(text ?? "", ...(more === undefined ? [] : [more])));
      expected.push("200", text ?? "");
      await until(`${text} is answered`, () => answers().length === expected.length);
    }
    expect(answers()).toEqual(expected);
    if (!socket.closed) {
      await once(socket, "close");
    }
  });

  it.each([1, 20, 100])("reads a request that comes in pieces of %i bytes", async (size) => {
    const socket = open(server.port);
    const bytes = Buffer.from(call("pieces", closing));
    const answers = answersOn(socket);
    const closed = once(socket, "close");
    for (let at = 0; at < bytes.length; at += size) {
      socket.write(bytes.subarray(at, at + size));
      await sleep(1);
    }
    await closed;
    expect(answers()).toEqual(["200", "pieces"]);
  });

  it("answers requests that don't wait for each other, in their order", async () => {
    const socket = open(server.port);
    const answers = answersOn(socket);
    socket.write(call("one"));
    await until("one is answered", () => answers().length === 2);
    socket.write(call("two") + call("three") + call("four", closing));
    await once(socket, "close");
    expect(answers()).toEqual(["200", "one", "200", "two", "200", "three", "200", "four"]);
  });

  it("answers what comes while a call is under way, afterwards", async () => {
    const socket = open(server.port);
    const answers = answersOn(socket);
    socket.write(call("one"));
    setImmediate(() => socket.write(call("two", closing)));
    await once(socket, "close");
    expect(answers()).toEqual(["200", "one", "200", "two"]);
  });

  it("ends when it was idle for long", async () => {
    const socket = open(server.port);
    const answers = answersOn(socket);
    socket.write(call("one"));
    await once(socket, "close");
    expect(answers()).toEqual(["200", "one"]);
  });

  it("says that it stays open, and for how long", async () => {
    const socket = open(server.port);
    socket.write(call("one"));
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/\r\nconnection: keep-alive\r\nkeep-alive: timeout=/i);
    expect(String(answer)).toMatch(/\r\ndate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r\n/);
    socket.destroy();
  });
});

describe("two requests that look like one, or one that looks like two", () => {
  const smuggled = call("smuggled", closing);
  const first = (length: string, ...more: string[]) =>
    [`POST ${echoPath} HTTP/1.1`, "Host: test", "Content-Type: application/json", ...more, length, "", ""].join("\r\n");

  it.each([
    ["a length and chunks", `${first("Content-Length: 4", "Transfer-Encoding: chunked")}0\r\n\r\n${smuggled}`],
    ["chunks behind a blank", `${first("Content-Length: 4", "Transfer-Encoding : chunked")}0\r\n\r\n${smuggled}`],
    ["two lengths", `${first("Content-Length: 2", `Content-Length: ${2 + smuggled.length}`)}{}${smuggled}`],
    ["a length with a sign", `${first("Content-Length: +2")}{}${smuggled}`],
    ["a list of lengths", `${first("Content-Length: 2, 2")}{}${smuggled}`],
    [
      "a lone line feed",
      `${first("Content-Length: 2", `X-A: 1\nContent-Length: ${2 + smuggled.length}`)}{}${smuggled}`,
    ],
    ["a lone carriage return", `${first("Content-Length: 2", "X-A: 1\rTransfer-Encoding: chunked")}{}${smuggled}`],
    ["a zero byte", `${first("Content-Length: 2", "Transfer-Encoding: chunked\0")}{}${smuggled}`],
  ])("%s", async (_name, bytes) => {
    const socket = open(server.port);
    socket.write(bytes);
    const answer = String(await untilClosed(socket));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toContain("smuggled");
  });

  it("a request in a request's body is but a body", async () => {
    const socket = open(server.port);
    const answers = answersOn(socket);
    socket.write(`${first(`Content-Length: ${smuggled.length}`)}${smuggled}`);
    await once(socket, "close");
    expect(answers()).toEqual(["400"]);
  });
});
