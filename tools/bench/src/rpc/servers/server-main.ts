import { answerParent, childParameters } from "../../harness/child.ts";
import type { RunningServer } from "./running-server.ts";
import type { ServerSpec } from "./server-spec.ts";

/** Each server is loaded only where it runs, so that none's memory counts another's code. */
async function start(spec: ServerSpec): Promise<RunningServer> {
  switch (spec.kind) {
    case "raw-constant":
      return (await import("./raw-http2.ts")).startConstant(spec.payloadBytes);
    case "raw-exchange":
      return (await import("./raw-http2.ts")).startExchange(spec.payloadBytes);
    case "raw-stream":
      return (await import("./raw-http2.ts")).startStream(spec.count, spec.payloadBytes);
    case "raw-http1-constant":
      return (await import("./raw-http1.ts")).startConstant();
    case "raw-http1-exchange":
      return (await import("./raw-http1.ts")).startExchange();
    case "grpc-js":
      return (await import("./grpc-js.ts")).start();
    case "connect-node-http2":
      return (await import("./connect-node.ts")).start("2");
    case "connect-node-http1":
      return (await import("./connect-node.ts")).start("1.1");
    case "fastify":
      return (await import("./fastify.ts")).start();
    case "kinora":
      return (await import("./kinora.ts")).start(spec);
  }
}

const server = await start(await childParameters());
answerParent({ port: () => server.port }, () => server.close());
