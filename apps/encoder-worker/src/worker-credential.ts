import { createClient } from "@connectrpc/connect";
import { KeyService } from "@kinora/proto-user";
import { type ClientTransport, createClientTransport, type Logger } from "@kinora/rpc";
import { createKeyCredential, discoverUserService, localCredential, webAddress } from "@kinora/service";
import type { WorkerConfig } from "./config.ts";

/** What the worker shows the encoder. */
export type WorkerCredential = { token: string | ((signal?: AbortSignal) => Promise<string>); close(): void };

/**
 * The access token of the worker's API key, which is good at the encoder and for leasing alone. The user service is asked when the first token is needed, so it may start after the worker;
 * while it is away, the worker goes on for as long as its token is good.
 */
export async function workerCredential(
  config: WorkerConfig,
  dataDir: string,
  logger: Logger,
): Promise<WorkerCredential> {
  if (config.WORKER_API_KEY === undefined && config.WORKER_TOKEN !== undefined) {
    logger.warn(
      {},
      "WORKER_TOKEN is deprecated and goes with 0.3: give the worker a WORKER_API_KEY (docs/operating.md)",
    );
    return { token: config.WORKER_TOKEN, close() {} };
  }
  const key = config.WORKER_API_KEY ?? (await localCredential(dataDir, "worker-key"));
  let transport: ClientTransport | undefined;
  const credential = createKeyCredential({
    logger,
    async exchange(signal) {
      const baseUrl = config.USER_URL ?? (await discoverUserService(webAddress(config.ENCODER_URL), signal));
      transport ??= createClientTransport({ baseUrl });
      return await createClient(KeyService, transport).exchangeKey({ key, audiences: ["encoder"] }, { signal });
    },
  });
  return {
    token: (signal) => credential.token(signal),
    close() {
      credential.close();
      transport?.close();
    },
  };
}
