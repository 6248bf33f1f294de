import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startServer } from "../testing/start-server.ts";
import { connectionLifetime } from "./connection-age.ts";

describe("the lifetime of connections", () => {
  it("is the limit give or take a tenth, and not the same for all", () => {
    expect(connectionLifetime(1000, 0)).toBe(900);
    expect(connectionLifetime(1000, 0.5)).toBe(1000);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
        const lifetime = connectionLifetime(1000, random);
        expect(lifetime).toBeGreaterThanOrEqual(900);
        expect(lifetime).toBeLessThan(1100 + 1e-9);
      }),
    );
  });
});

/** A server with short-lived connections, one of whose paths answers when the test says so. */
async function start(connectionAgeGraceMs: number) {
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const server = await startServer({
    limits: { connectionAgeMs: 200, connectionAgeGraceMs, goAwayMs: 20 },
    http: [
      {
        path: "/held",
        async handle(_request, response) {
          entered.resolve();
          await release.promise;
          response.end("at last");
        },
      },
    ],
  });
  return { server, entered: entered.promise, release: release.resolve };
}

describe("an HTTP/2 connection that has reached its age", () => {
  it("says goodbye, lets its streams finish, and ends; the next one is welcome", async () => {
    const { server, entered, release } = await start(60_000);
    const session = connectHttp2(server.url);
    const answer = text(session.request({ ":path": "/held" }));
    await entered;
    const closed = once(session, "close");
    expect((await once(session, "goaway"))[0]).toBe(0);
    await sleep(100);
    release();
    expect(await answer).toBe("at last");
    await closed;
    const next = connectHttp2(server.url);
    expect(await text(next.request({ ":path": "/healthz" }))).toContain("ok");
    next.close();
    await server.close();
  });

  it("is cut when its grace is over", async () => {
    const { server, entered, release } = await start(100);
    const session = connectHttp2(server.url);
    session.on("error", () => {});
    const stream = session.request({ ":path": "/held" });
    stream.on("error", () => {});
    await entered;
    await once(session, "close");
    release();
    await server.close();
  });
});

describe("an HTTP/1.1 connection that has reached its age", () => {
  it("ends with its next answer", async () => {
    const { server } = await start(60_000);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async () => {
      const [response]: IncomingMessage[] = await once(get(`${server.url}/healthz`, { agent }), "response");
      response?.resume();
      return response?.headers.connection;
    };
    expect(await ask()).toBe("keep-alive");
    await sleep(400);
    expect(await ask()).toBe("close");
    expect(await ask()).toBe("keep-alive");
    agent.destroy();
    await server.close();
  });
});
