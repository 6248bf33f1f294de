import { connect as connectHttp2 } from "node:http2";
import { buffer } from "node:stream/consumers";
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { EchoRequestSchema, EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { createClientTransport } from "../client/client-transport.ts";
import { echoRoutes } from "../testing/echo-service.ts";
import { echoPath, envelope } from "../testing/hostile-client.ts";
import { startServer } from "../testing/start-server.ts";

const large = "x".repeat(100_000);
const request = envelope(toBinary(EchoRequestSchema, create(EchoRequestSchema, { text: "more" })));

describe("one connection", () => {
  it("carries as many large answers at once as it has streams", async () => {
    // By Node's own limit of 10 MB a session, streams that follow would be refused, and then the connection ended.
    let waiting = 0;
    const all = Promise.withResolvers<void>();
    await using server = await startServer({
      shedding: false,
      routes: echoRoutes({
        async echo() {
          if (++waiting === 256) {
            all.resolve();
          }
          await all.promise;
          return { text: large };
        },
      }),
    });
    const session = connectHttp2(server.url, { maxSessionMemory: 1000 });
    session.setMaxListeners(0);
    const ask = async () => {
      const stream = session.request({ ":method": "POST", ":path": echoPath, "content-type": "application/grpc" });
      stream.end(request);
      return (await buffer(stream)).length;
    };
    const answers = await Promise.all(Array.from({ length: 1000 }, ask));
    expect(new Set(answers)).toEqual(new Set([large.length + 9]));
    session.close();
  });

  it("carries large messages both ways, by our client", async () => {
    await using server = await startServer({ shedding: false });
    const transport = createClientTransport({ baseUrl: server.url, retry: false, timeoutMs: 60_000 });
    const client = createClient(EchoService, transport);
    const answers = await Promise.all(Array.from({ length: 600 }, () => client.echo({ text: large })));
    expect(answers.every(({ text }) => text === large)).toBe(true);
    transport.close();
  });

  it("refuses streams beyond its number, and goes on", async () => {
    await using server = await startServer({ limits: { streamsPerConnection: 2 } });
    const transport = createClientTransport({ baseUrl: server.url });
    const client = createClient(EchoService, transport);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => client.echo({ text: `${i}` })));
    expect(answers.map((answer) => answer.text)).toEqual(answers.map((_, i) => `${i}`));
    transport.close();
  });
});
