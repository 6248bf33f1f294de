import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { connectionTimes, openConnection } from "../client/endpoint/connection.ts";
import { createDial } from "../client/endpoint/dial.ts";
import { startRawServer } from "../testing/raw-server.ts";

describe("keepalive", () => {
  // Vitest fails for an exception that nobody catches.
  it("bears sessions that end at any moment between two PINGs", async () => {
    using server = await startRawServer(() => {});
    const dial = createDial({ host: "127.0.0.1", port: server.port });
    const times = { ...connectionTimes, pingMs: 1, answerMs: 1, testAfterIdleMs: 0 };
    const connections = await Promise.all(Array.from({ length: 40 }, () => openConnection(dial, times)));
    const streams = connections.map((connection) => connection.open({ ":path": "/" }).on("error", () => {}));
    for (const session of server.sessions) {
      await sleep(1);
      session.destroy();
    }
    await Promise.all(connections.map(({ closed }) => closed));
    await sleep(20);
    for (const connection of connections) {
      expect(connection.gone()).toBe(true);
      expect(await connection.tested()).toBe(false);
    }
    expect(streams.every((stream) => stream.destroyed)).toBe(true);
  });
});
