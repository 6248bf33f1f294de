import { constants } from "node:http2";
import { Code, createClient } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { startRawServer } from "../../testing/raw-server.ts";
import { createClientTransport } from "../client-transport.ts";

/** A gRPC server that refuses the first `refusals` streams, after it has read what they send first; of the others it sends back the first message. */
async function startRefusing(refusals: number) {
  const read: string[] = [];
  const server = await startRawServer((stream, count) => {
    stream.once("data", (bytes: Buffer) => {
      read.push(bytes.subarray(5).toString("hex"));
      if (count <= refusals) {
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
        return;
      }
      stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(bytes);
    });
  });
  return { ...server, read };
}

function open(baseUrl: string) {
  const transport = createClientTransport({ baseUrl });
  return { ...createClient(EchoService, transport), [Symbol.dispose]: () => transport.close() };
}

describe("a stream that the server refuses unseen", () => {
  it("is opened once more, with the same message", async () => {
    using server = await startRefusing(1);
    using client = open(server.url);
    expect(await Array.fromAsync(client.count({ count: 3 }))).toMatchObject([{ number: 3 }]);
    expect(server.read).toEqual(["0803", "0803"]);
  });

  it("is opened once more as long as only its first message was sent", async () => {
    using server = await startRefusing(1);
    using client = open(server.url);
    const over = Promise.withResolvers<void>();
    async function* messages() {
      yield { text: "one" };
      await over.promise;
    }
    const answers = await Array.fromAsync(client.chat(messages()));
    over.resolve();
    expect(answers).toMatchObject([{ text: "one" }]);
    expect(server.read).toHaveLength(2);
  });

  it("fails the second time", async () => {
    using server = await startRefusing(9);
    using client = open(server.url);
    await expect(Array.fromAsync(client.count({ count: 3 }))).rejects.toMatchObject({ code: Code.Unavailable });
    expect(server.read).toHaveLength(2);
  });

  it("fails when more was sent already, and whoever makes its messages hears of that", async () => {
    using server = await startRefusing(9);
    using client = open(server.url);
    let ended = false;
    async function* messages() {
      try {
        for (;;) {
          yield { text: "more" };
        }
      } finally {
        ended = true;
      }
    }
    await expect(Array.fromAsync(client.chat(messages()))).rejects.toMatchObject({ code: Code.Unavailable });
    await expect.poll(() => ended).toBe(true);
    expect(server.read).toHaveLength(1);
  });
});
