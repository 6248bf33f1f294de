import { once } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { startServer } from "../testing/start-server.ts";

/** More than a connection holds on its way, so that it ends only if the server reads it. */
const tooLong = 32 * 1024 * 1024;

describe("an answer before the end of its request", () => {
  it.each([
    ["a stream whose message is too long", "/kinora.testing.v1.EchoService/Sum", "application/connect+json"],
    ["a call whose message is too long", "/kinora.testing.v1.EchoService/Echo", "application/json"],
    ["a route that stops reading", "/half", "application/octet-stream"],
    ["a route that doesn't read", "/none", "application/octet-stream"],
    ["nothing there", "/nothing", "application/octet-stream"],
  ])("leaves the connection to the next request: %s", async (_what, path, type) => {
    await using server = await startServer({
      http: [
        {
          path: "/half",
          async handle(request, response) {
            for await (const _chunk of request.iterator({ destroyOnReturn: false })) {
              break;
            }
            response.end("enough");
          },
        },
        { path: "/none", handle: async (_request, response) => void response.end("enough") },
      ],
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const post = (path: string, type: string) =>
      request(server.url + path, { method: "POST", agent, headers: { "content-type": type } });

    const first = post(path, type);
    const envelope = Buffer.alloc(5);
    envelope.writeUInt32BE(tooLong, 1);
    first.write(envelope);
    first.write(Buffer.alloc(tooLong, " "));
    first.end();
    const [answer] = await once(first, "response");
    answer.resume();
    await once(answer, "end");
    while (Object.keys(agent.freeSockets).length === 0) {
      await sleep(5);
    }

    const second = post("/kinora.testing.v1.EchoService/Echo", "application/json");
    second.end('{"text":"hello"}');
    const [next] = await once(second, "response");
    expect(next.statusCode).toBe(200);
    expect(second.reusedSocket).toBe(true);
    next.resume();
    await once(next, "end");
    agent.destroy();
  });
});
