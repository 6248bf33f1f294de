import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { BenchService } from "@kinora/proto-common/kinora/testing/v1/bench_service_pb.js";
import { createClientTransport } from "@kinora/rpc";
import { user, userRequest } from "../messages.ts";
import type { BenchClient } from "./bench-client.ts";
import type { ClientSpec } from "./client-spec.ts";

/** Connect's client over our transport. */
export function createKinoraClient(spec: ClientSpec): BenchClient {
  const protocol = spec.kind === "kinora-connect" ? "connect" : "grpc";
  const options = { protocol, ...(spec.token === undefined ? {} : { token: spec.token }) } as const;
  const transport = createClientTransport({ ...options, baseUrl: spec.target });
  return createTransportClient(transport, spec, () => transport.close());
}

/** Connect's client over connect-node's transports. */
export function createConnectNodeClient(spec: ClientSpec): BenchClient {
  const baseUrl = spec.target;
  const transport =
    spec.kind === "connect-node-connect"
      ? createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: true })
      : createGrpcTransport({ baseUrl });
  return createTransportClient(transport, spec);
}

/** Connect's client over any transport. Each answer is checked. */
export function createTransportClient(
  transport: Transport,
  { payloadBytes, streamed = 0 }: Pick<ClientSpec, "payloadBytes" | "streamed">,
  close: BenchClient["close"] = () => {},
): BenchClient {
  const client = createClient(BenchService, transport);
  const { payload } = userRequest(payloadBytes);
  return {
    async call(method) {
      if (method === "getUser") {
        const answer = await client.getUser({ id: "u-00000001", payload });
        check(answer.age === user.age && answer.payload.length === payloadBytes);
      } else if (method === "renameUser") {
        const answer = await client.renameUser({ id: "u-00000001", name: user.name });
        check(answer.name === user.name);
      } else {
        let count = 0;
        for await (const answer of client.watchUser({ count: streamed, bytes: payloadBytes })) {
          count += answer.payload.length === payloadBytes ? 1 : 0;
        }
        check(count === streamed);
      }
    },
    close,
  };
}

function check(right: boolean): void {
  if (!right) {
    throw new Error("wrong answer");
  }
}
