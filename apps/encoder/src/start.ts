import { join } from "node:path";
import { openDatabase } from "@kinora/database";
import { createEncoderService, migrations } from "@kinora/encoder";
import { KeyService, QuotaService } from "@kinora/proto-user";
import { createClientTransport, createServer, type HttpRoute } from "@kinora/rpc";
import {
  announce,
  configuredLogger,
  contractsRoute,
  createAuthenticator,
  discoveryRoute,
  type Env,
  localCredential,
  prepareDataDir,
  remoteKeys,
  sharedTokens,
  startTelemetry,
  webAddress,
} from "@kinora/service";
import { readEncoderConfig } from "./config.ts";
import { encoderCredential } from "./encoder-credential.ts";

/** Calls in flight have this long to finish, in milliseconds; the process has 5 s to end. */
const graceMs = 3_000;

/**
 * Starts the encoder from its environment; `close` ends it within 5 s, with calls in flight finished. The user service may be away: its keys are fetched
 * when the first access token comes, and encodes wait for their quota.
 */
export async function startEncoder({ env, signal }: { env: Env; signal: AbortSignal }): Promise<{
  url: string;
  close(): Promise<void>;
}> {
  const config = readEncoderConfig(env);
  const logger = configuredLogger("encoder", config);
  const dataDir = await prepareDataDir(config.KINORA_DATA);
  const shared = await sharedTokens(config, dataDir, ["service", "worker"]);
  // A database elsewhere may outlive this folder, and others may read it: then whoever runs them says what seals.
  const own = config.DATABASE_URL === undefined ? await localCredential(dataDir, "sealing") : undefined;
  const sealingSecret = config.SEALING_SECRET ?? own;

  // What is started is ended in the opposite order, also when a later part can't start.
  await using starting = new AsyncDisposableStack();
  const telemetry = await startTelemetry(config, "encoder", logger);
  starting.defer(() => telemetry.close());
  const database = await openDatabase({
    name: "encoder",
    dataDir,
    url: config.DATABASE_URL,
    migrations,
    logger,
    signal,
  });
  starting.defer(() => database.close());
  const credential = await encoderCredential(config, dataDir, logger);
  starting.defer(() => credential.close());
  const user = createClientTransport({
    baseUrl: config.USER_URL,
    token: credential.token,
    logger,
    telemetry: telemetry.calls,
  });
  starting.defer(() => user.close());

  let listening = { port: config.PORT, url: "" };
  const publicUrl = () => config.PUBLIC_URL ?? `http://localhost:${listening.port}`;
  const keys = remoteKeys(webAddress(config.USER_URL), { file: join(dataDir, "encoder", "user-keys.json") });
  starting.defer(() => keys.close());
  const authenticate = createAuthenticator({ keys, ...shared });
  const service = await createEncoderService({
    database,
    dataDir,
    logger,
    userTransport: user,
    authenticate,
    s3: config.STORAGE_URL,
    playbackFrom: config.PLAYBACK_FROM,
    webhookTargets: config.WEBHOOK_TARGETS,
    gpuPatienceSeconds: config.GPU_PATIENCE,
    sealingSecret,
    publicUrl,
    internalUrl: () => config.INTERNAL_URL ?? config.PUBLIC_URL ?? listening.url,
    metricsToken: config.METRICS_TOKEN,
  });
  starting.defer(() => service.close());

  const discovery: HttpRoute = {
    path: "/.well-known/kinora",
    handle: (request, response) =>
      discoveryRoute({
        user: config.USER_PUBLIC_URL ?? webAddress(config.USER_URL),
        encoder: publicUrl(),
      }).handle(request, response),
  };
  const contracts = contractsRoute({
    service: "encoder",
    routes: service.routes,
    calls: [QuotaService, KeyService],
    buildFile: config.BUILD_FILE,
  });
  const server = createServer({
    routes: service.routes,
    longPolls: service.longPolls,
    steadfast: service.steadfast,
    http: [...service.http, discovery, contracts],
    ownersRequired: true,
    authenticate,
    logger,
    telemetry: telemetry.calls,
    ready: () => database.check(),
  });
  listening = await server.listen({ port: config.PORT, host: config.HOST });
  starting.defer(async () => {
    service.drain();
    await server.close(graceMs);
  });
  starting.defer(await announce(dataDir, "encoder", publicUrl()));
  logger.info({ data: dataDir }, `encoder is ready at ${publicUrl()}`);

  const { url } = listening;
  const started = starting.move();
  return { url, close: () => started.disposeAsync() };
}
