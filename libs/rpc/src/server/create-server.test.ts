import { createClient } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { createClientTransport } from "../client/client-transport.ts";
import { startServer } from "../testing/start-server.ts";

describe("one port", () => {
  it("answers JSON", async () => {
    await using server = await startServer();
    const response = await fetch(`${server.url}/kinora.testing.v1.EchoService/Echo`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: "hi" }),
    });
    expect(await response.json()).toEqual({ text: "hi" });
  });
  it("grpc", async () => {
    await using server = await startServer();
    const transport = createClientTransport({ baseUrl: server.url });
    const client = createClient(EchoService, transport);
    expect((await client.echo({ text: "hi" })).text).toBe("hi");
    const numbers: number[] = [];
    for await (const { number } of client.count({ count: 5 })) numbers.push(number);
    expect(numbers).toEqual([1, 2, 3, 4, 5]);
    await expect(client.echoUser({ text: "x" })).rejects.toMatchObject({ code: 16 });
    transport.close();
  });
});
