import { Code, createClient } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { createClientTransport } from "../client/client-transport.ts";
import { startServer } from "../testing/start-server.ts";

describe("a transport whose server restarts", () => {
  it.each(["grpc", "connect"] as const)("works again once the server does: %s", async (protocol) => {
    const first = await startServer();
    const transport = createClientTransport({ baseUrl: first.url, protocol });
    const client = createClient(EchoService, transport);
    for (let server = first, round = 0; round < 3; round++) {
      expect((await client.echo({ text: `round ${round}` })).text).toBe(`round ${round}`);
      // Once with a goodbye, once without.
      await server.close(round === 1 ? 0 : undefined);
      await expect(client.echo({ text: "nobody there" })).rejects.toMatchObject({ code: Code.Unavailable });
      server = await startServer({ port: server.port });
      if (round === 2) {
        await server.close();
      }
    }
    transport.close();
  });
});
