import { join } from "node:path";
import { createWorker } from "@kinora/encoder-worker";
import { WorkerService } from "@kinora/proto-encoder";
import { KeyService } from "@kinora/proto-user";
import { createClientTransport, createServer, type HttpRoute, type RpcServer } from "@kinora/rpc";
import { configuredLogger, contractsRoute, type Env, prepareDataDir, startTelemetry } from "@kinora/service";
import { readWorkerConfig } from "./config.ts";
import { workerCredential } from "./worker-credential.ts";

/** Starts a worker from its environment; it works until `close`, which ends within 5 s. */
export async function startEncoderWorker({ env }: { env: Env }): Promise<{ close(): Promise<void> }> {
  const config = readWorkerConfig(env);
  const logger = configuredLogger("encoder-worker", config);
  const dataDir = await prepareDataDir(config.KINORA_DATA);
  const credential = await workerCredential(config, dataDir, logger);
  const telemetry = await startTelemetry(config, "encoder-worker", logger);
  // Without the logger: the worker itself tells of an encoder that doesn't answer.
  const transport = createClientTransport({
    baseUrl: config.ENCODER_URL,
    token: credential.token,
    telemetry: telemetry.calls,
  });
  const retire = new AbortController();
  const worker = createWorker({
    transport,
    spoolDir: await prepareDataDir(join(dataDir, "worker")),
    ...(config.WORKER_SLOTS === undefined ? {} : { slots: config.WORKER_SLOTS }),
    ...(config.WORKER_CORES === undefined ? {} : { cores: config.WORKER_CORES }),
    keepsChildReady: true,
    workerId: config.WORKER_ID,
    logger,
    retire: retire.signal,
  });
  const stop = new AbortController();
  const running = worker.run(stop.signal); // a rejection ends the process: there is nothing else for it to do
  const health = config.PORT === undefined ? undefined : await serveHealth(config.PORT, config.HOST);
  logger.info({ slots: worker.slots }, `encoder-worker is ready for tasks of ${config.ENCODER_URL}`);

  return {
    async close() {
      stop.abort();
      credential.close(); // a token that is there stays good for handing tasks back
      await running;
      transport.close();
      await health?.close(200);
      await telemetry.close();
    },
  };

  async function serveHealth(port: number, host: string): Promise<RpcServer> {
    const server = createServer({
      routes: () => {},
      http: [
        drainRoute(retire, running),
        contractsRoute({
          service: "encoder-worker",
          routes: () => {},
          calls: [WorkerService, KeyService],
          buildFile: config.BUILD_FILE,
        }),
      ],
      authenticate: async () => ({ kind: "anonymous" }),
      logger,
    });
    await server.listen({ port, host });
    return server;
  }
}

/**
 * `/drain`: from now on the worker leases nothing; the answer comes when what it has is done. For a `preStop` hook of Kubernetes, which calls it before it ends a
 * worker and waits: then no work is done twice.
 */
function drainRoute(retire: AbortController, running: Promise<void>): HttpRoute {
  return {
    path: "/drain",
    async handle(_request, response) {
      retire.abort();
      await running;
      response.setHeader("content-type", "application/json");
      response.end('{"status":"drained"}\n');
    },
  };
}
