import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { connectionTimes, openConnection } from "./connection.ts";
import { createDial } from "./dial.ts";

/** A server whose host can vanish: then nothing that is sent to it arrives any more, and no connection is closed. */
async function startVanishing() {
  const http2 = createHttp2Server((_request, response) => response.end("answer")).listen(0, "127.0.0.1");
  await once(http2, "listening");
  const sockets = new Set<Socket>();
  let vanished = false;
  const relay = createServer((outer) => {
    const inner = connect(portOf(http2), "127.0.0.1");
    for (const [from, to] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("data", (bytes) => vanished || to.write(bytes));
    }
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  return {
    dial: createDial({ host: "127.0.0.1", port: portOf(relay) }),
    vanish() {
      vanished = true;
    },
    [Symbol.dispose]() {
      for (const socket of sockets) {
        socket.destroy();
      }
      relay.close();
      http2.close();
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

const impatient = { ...connectionTimes, pingMs: 30, answerMs: 200, testAfterIdleMs: 0 };

describe("a connection", () => {
  it("is given up when the other side vanishes during a call", async () => {
    using server = await startVanishing();
    const connection = await openConnection(server.dial, impatient);
    expect(await connection.tested()).toBe(true);
    server.vanish();
    const stream = connection.open({ ":path": "/" }, { endStream: true });
    stream.on("error", () => {});
    await connection.closed;
    expect(stream.destroyed).toBe(true);
    expect(connection.gone()).toBe(true);
  });

  it("is tested before it is used again, and given up when it doesn't answer", async () => {
    using server = await startVanishing();
    const connection = await openConnection(server.dial, impatient);
    expect(await connection.tested()).toBe(true);
    server.vanish();
    expect(await Promise.all([connection.tested(), connection.tested()])).toEqual([false, false]);
    expect(connection.usable()).toBe(false);
  });

  it("survives to be asked once it is gone (connect-es #1795)", async () => {
    using server = await startVanishing();
    const connection = await openConnection(server.dial, impatient);
    const stream = connection.open({ ":path": "/" }, { endStream: true });
    stream.on("error", () => {});
    connection.destroy();
    expect(await connection.tested()).toBe(false);
    // Longer than a PING's turn, of which there must be none.
    await sleep(100);
    await connection.closed;
  });

  it("is closed when it stays idle", async () => {
    using server = await startVanishing();
    const connection = await openConnection(server.dial, { ...impatient, closeAfterIdleMs: 50 });
    await connection.closed;
    expect(connection.usable()).toBe(false);
  });
});
