import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { drainSignal } from "../call/call-record.ts";
import { createClientTransport } from "../client/client-transport.ts";
import { echoRoutes } from "../testing/echo-service.ts";
import { createGrpcJsClient } from "../testing/grpc-js-client.ts";
import { startServer } from "../testing/start-server.ts";

/** A server whose Echo answers when the test says so. */
async function startHeld() {
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const server = await startServer({
    routes: echoRoutes({
      async echo({ text }) {
        entered.resolve();
        await release.promise;
        return { text };
      },
    }),
    http: [
      {
        path: "/held",
        async handle(_request, response) {
          entered.resolve();
          await release.promise;
          response.end("answer");
        },
      },
      {
        path: "/quick",
        async handle(_request, response) {
          response.end("answer");
        },
      },
    ],
  });
  return { server, entered: entered.promise, release: release.resolve };
}

describe("closing a server", () => {
  it.each(["grpc", "connect"] as const)(
    "lets a %s call in flight finish, and takes no new one on its connection",
    async (protocol) => {
      const { server, entered, release } = await startHeld();
      const client = createClient(EchoService, createClientTransport({ baseUrl: server.url, protocol }));
      const call = client.echo({ text: "in flight" });
      await entered;
      const closed = server.close();
      await sleep(50);
      const late = client.echo({ text: "late" }, { timeoutMs: 500 });
      await expect(late).rejects.toMatchObject({
        code: Code.Unavailable,
        message: expect.stringContaining(server.url),
      });
      release();
      expect((await call).text).toBe("in flight");
      await closed;
    },
  );

  it("ends the session of an idle client, on which new calls fail", async () => {
    await using server = await startServer();
    const session = connectHttp2(server.url);
    session.on("error", () => {});
    await once(session, "remoteSettings");
    const gone = once(session, "goaway");
    const ended = once(session, "close");
    const closed = server.close();
    expect((await gone)[0]).toBe(0);
    await sleep(20);
    const [error] = await once(session.request({ ":path": "/healthz" }), "error").catch((reason) => [reason]);
    expect(String(error)).toMatch(/session/);
    await Promise.all([closed, ended]);
  });

  it("lets a grpc-js call finish", async () => {
    const { server, entered, release } = await startHeld();
    const client = createGrpcJsClient(server.port);
    const call = client.echo({ $typeName: "kinora.testing.v1.EchoRequest", text: "in flight", id: "", words: [] });
    await entered;
    const closed = server.close();
    await sleep(20);
    release();
    expect((await call)?.text).toBe("in flight");
    client.close();
    await closed;
  });

  it("lets an HTTP/1.1 request finish, then ends its connection and idle ones", async () => {
    const { server, entered, release } = await startHeld();
    const agent = new Agent({ keepAlive: true });
    const fetchBy = async (path: string) => {
      const [response]: IncomingMessage[] = await once(get(server.url + path, { agent }), "response");
      return response === undefined ? "" : { text: await text(response), connection: response.headers.connection };
    };
    const first = fetchBy("/held");
    await entered;
    expect(await fetchBy("/quick")).toMatchObject({ text: "answer", connection: "keep-alive" });
    const closed = server.close();
    await sleep(20);
    release();
    expect(await first).toMatchObject({ text: "answer" });
    await closed;
    agent.destroy();
  });

  it("ends streams as unavailable at once", async () => {
    await using server = await startServer({
      routes: echoRoutes({
        async *count(_request, { signal }) {
          yield { number: 1 };
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        },
      }),
    });
    const client = createClient(EchoService, createClientTransport({ baseUrl: server.url }));
    const seen: number[] = [];
    let failure: unknown;
    try {
      for await (const { number } of client.count({ count: 9 })) {
        seen.push(number);
        void server.close();
      }
    } catch (error) {
      failure = error;
    }
    expect(seen).toEqual([1]);
    expect(failure).toMatchObject({ code: Code.Unavailable, rawMessage: "the server is shutting down" });
  });

  it("tells handlers that wait for something", async () => {
    const entered = Promise.withResolvers<void>();
    await using server = await startServer({
      routes: echoRoutes({
        async echo(_request, context) {
          entered.resolve();
          await new Promise<void>((resolve) => drainSignal(context).addEventListener("abort", () => resolve()));
          return { text: "nothing to do" };
        },
      }),
    });
    const client = createClient(EchoService, createClientTransport({ baseUrl: server.url }));
    const poll = client.echo({ text: "anything?" });
    await entered.promise;
    await server.close();
    expect((await poll).text).toBe("nothing to do");
  });

  it("cuts what isn't finished when the grace is over", async () => {
    const { server, entered } = await startHeld();
    const client = createClient(EchoService, createClientTransport({ baseUrl: server.url }));
    const call = client.echo({ text: "never" });
    call.catch(() => {});
    await entered;
    await server.close(50);
    await expect(call).rejects.toMatchObject({ code: Code.Unavailable });
  });

  it("fails no call that has reached it", async () => {
    for (const protocol of ["grpc", "connect"] as const) {
      let handled = 0;
      await using server = await startServer({
        routes: echoRoutes({
          async echo({ text }) {
            handled++;
            await sleep(2);
            return { text };
          },
        }),
      });
      const client = createClient(EchoService, createClientTransport({ baseUrl: server.url, protocol }));
      await client.echo({ text: "first" });
      let answered = 1;
      const failures: unknown[] = [];
      const callUntilRefused = async () => {
        for (;;) {
          try {
            await client.echo({ text: "again" }, { timeoutMs: 2_000 });
            answered++;
          } catch (error) {
            failures.push(error);
            return;
          }
        }
      };
      const callers = Array.from({ length: 32 }, callUntilRefused);
      await sleep(50);
      await server.close();
      await Promise.all(callers);
      expect(answered).toBe(handled);
      expect(failures.map((error) => ConnectError.from(error).message)).toEqual(
        failures.map(() => expect.stringContaining(`[unavailable] can't reach ${server.url}`)),
      );
    }
  });

  it("is harmless twice, and before it listens", async () => {
    await using server = await startServer();
    await Promise.all([server.close(), server.close()]);
  });
});
