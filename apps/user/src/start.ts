import { setTimeout as sleep } from "node:timers/promises";
import type { Transport } from "@connectrpc/connect";
import { openDatabase } from "@kinora/database";
import { AccountService } from "@kinora/proto-encoder";
import { createClientTransport, createServer, type HttpRoute, trustProxies } from "@kinora/rpc";
import {
  announce,
  configuredLogger,
  contractsRoute,
  createAuthenticator,
  discoveryRoute,
  type Env,
  prepareDataDir,
  sharedTokens,
  startTelemetry,
  webAddress,
} from "@kinora/service";
import { accountOptions, createUserService, userMigrations } from "@kinora/user";
import { readUserConfig } from "./config.ts";
import { yieldToCalls } from "./yield-to-calls.ts";

/** Milliseconds in which calls that have waited for the service come before its work in the background. */
const headStartMs = 250;

/** Starts the user service from its environment; `close` ends it within 5 s, with calls in flight finished. */
export async function startUser({ env, signal }: { env: Env; signal: AbortSignal }): Promise<{
  url: string;
  close(): Promise<void>;
}> {
  const config = readUserConfig(env);
  const logger = configuredLogger("user", config);
  const dataDir = await prepareDataDir(config.KINORA_DATA);
  const shared = await sharedTokens(config, dataDir, ["service"]);

  // What is started is ended in the opposite order, also when a later part can't start.
  await using starting = new AsyncDisposableStack();
  const telemetry = await startTelemetry(config, "user", logger);
  starting.defer(() => telemetry.close());
  const database = await openDatabase({
    name: "user",
    dataDir,
    url: config.DATABASE_URL,
    migrations: userMigrations,
    logger,
    signal,
  });
  starting.defer(() => database.close());
  const encoder = (ownToken: () => Promise<string>): Transport => {
    // An encoder before 0.2 doesn't know tokens of services: as long as the old setting is there, it is shown.
    const token = config.SERVICE_TOKEN ?? ownToken;
    const baseUrl = config.ENCODER_URL;
    const transport = createClientTransport({ baseUrl, token, logger, telemetry: telemetry.calls });
    starting.defer(() => transport.close());
    return transport;
  };
  let listening = { port: config.PORT };
  const publicUrl = () => config.PUBLIC_URL ?? `http://localhost:${listening.port}`;
  const service = await createUserService({
    database,
    logger,
    encoder,
    dataDir,
    ...accountOptions(config),
    quotaMinutes: config.QUOTA_MINUTES,
    quotaStorageBytes: config.QUOTA_STORAGE_GB * 1e9,
    signingSecret: config.SIGNING_KEY_SECRET,
    keys: { encoder: config.ENCODER_API_KEY, worker: config.WORKER_API_KEY },
    issuer: () => config.TOKEN_ISSUER,
    publicUrl,
    signal,
  });
  starting.defer(() => service.close());

  const discovery: HttpRoute = {
    path: "/.well-known/kinora",
    handle: (request, response) =>
      discoveryRoute({
        user: publicUrl(),
        encoder: config.ENCODER_PUBLIC_URL ?? webAddress(config.ENCODER_URL),
      }).handle(request, response),
  };
  const contracts = contractsRoute({
    service: "user",
    routes: service.routes,
    calls: [AccountService],
    buildFile: config.BUILD_FILE,
  });
  const server = createServer({
    routes: service.routes,
    http: [...service.http, discovery, contracts],
    ownersRequired: true,
    queued: service.queued,
    interceptors: config.TRUSTED_PROXIES === undefined ? [] : [trustProxies(config.TRUSTED_PROXIES)],
    authenticate: createAuthenticator({ keys: service.keys, ...shared }),
    logger,
    telemetry: telemetry.calls,
    ready: () => database.check(),
  });
  const { url, port } = await server.listen({ port: config.PORT, host: config.HOST });
  listening = { port };
  starting.defer(() => server.close());
  starting.defer(await announce(dataDir, "user", publicUrl()));
  logger.info({ data: dataDir }, `user is ready at ${publicUrl()}`);
  await yieldToCalls();
  await sleep(headStartMs, undefined, { signal });
  await service.work();

  const started = starting.move();
  return { url, close: () => started.disposeAsync() };
}
