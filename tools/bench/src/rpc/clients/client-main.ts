import { answerParent, childParameters } from "../../harness/child.ts";
import type { BenchClient } from "./bench-client.ts";
import type { ClientSpec, InMemorySpec, OfferRequest, RawSpec, RunRequest } from "./client-spec.ts";
import { offerCalls } from "./offer-calls.ts";
import { runCalls } from "./run-calls.ts";

/** Each client is loaded only where it runs. */
async function create(spec: ClientSpec | RawSpec | InMemorySpec): Promise<BenchClient> {
  switch (spec.kind) {
    case "raw-http2":
      return (await import("./raw-http2.ts")).createRawHttp2Client(spec);
    case "http2-frames":
      return (await import("./http2-frames.ts")).createFramesClient(spec);
    case "raw-http1":
      return (await import("./raw-http1.ts")).createRawHttp1Client(spec);
    case "kinora":
    case "kinora-connect":
      return (await import("./connect.ts")).createKinoraClient(spec);
    case "connect-node":
    case "connect-node-connect":
      return (await import("./connect.ts")).createConnectNodeClient(spec);
    case "grpc-js":
      return (await import("./grpc-js.ts")).createGrpcJsClient(spec);
    case "in-memory":
      return (await import("./in-memory.ts")).createInMemoryClient(spec);
  }
}

const client = await create(await childParameters());
answerParent(
  {
    run: (request: RunRequest) => runCalls(client, request),
    offer: (request: OfferRequest) => offerCalls(client, request),
  },
  () => client.close(),
);
