import { hostname } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { consoleRoutes } from "@kinora/console";
import { type Database, openDatabase } from "@kinora/database";
import { createEncoderService, migrations as encoderMigrations } from "@kinora/encoder";
import { createWorker } from "@kinora/encoder-worker";
import { KeyService } from "@kinora/proto-user";
import { createInMemoryTransport, createServer, type HttpRoute, type Routes, trustProxies } from "@kinora/rpc";
import {
  announce,
  configuredLogger,
  contractsRoute,
  createAuthenticator,
  createKeyCredential,
  discoveryRoute,
  type Env,
  localCredential,
  prepareDataDir,
  sharedTokens,
  startTelemetry,
} from "@kinora/service";
import { accountOptions, createUserService, userMigrations } from "@kinora/user";
import { readMonolithConfig } from "./config.ts";
import { lateTransport } from "./late-transport.ts";

/** Calls in flight have this long to finish, in milliseconds; the process has 5 s to end. */
const graceMs = 3_000;
/** Tasks have this long to end before they are handed back, in milliseconds; what is left of the 5 s is for both databases on a busy machine. */
const drainGraceMs = 1_000;

type Token = (signal?: AbortSignal) => Promise<string>;

/** Starts user, encoder and a worker in this process; they call each other in memory, through the same gate and interceptors as over a socket. */
export async function startMonolith({ env, signal }: { env: Env; signal: AbortSignal }) {
  const config = readMonolithConfig(env);
  const logTo = (name: string) => configuredLogger(name, config);
  const logger = logTo("kinora");
  const dataDir = await prepareDataDir(config.KINORA_DATA);
  const shared = await sharedTokens(config, dataDir, ["service", "worker"]);
  // A database elsewhere may outlive this folder: then whoever runs it says what seals.
  const own = config.DATABASE_URL === undefined ? await localCredential(dataDir, "sealing") : undefined;
  const sealingSecret = config.SEALING_SECRET ?? own;
  const spoolDir = await prepareDataDir(join(dataDir, "worker"));

  // What is started is ended in the opposite order, also when a later part can't start.
  await using starting = new AsyncDisposableStack();
  const { calls: telemetry, close: closeTelemetry } = await startTelemetry(config, "kinora", logger);
  starting.defer(closeTelemetry);
  const opened: Database[] = [];
  // Side by side: each waits for its Postgres to write to the disk.
  starting.defer(async () => {
    await Promise.all(opened.map((database) => database.close()));
  });
  const open = async (name: "user" | "encoder", migrations: typeof userMigrations) => {
    const database = await openDatabase({
      name,
      dataDir,
      url: config.DATABASE_URL,
      ownDatabase: true,
      migrations,
      logger: logTo(name),
      signal,
    });
    opened.push(database);
    return database;
  };
  const [userDatabase, encoderDatabase] = await both(open("user", userMigrations), open("encoder", encoderMigrations));

  const toEncoder = lateTransport("encoder");
  let userToken = async () => "";
  let listening = { port: config.PORT };
  const publicUrl = () => config.PUBLIC_URL ?? `http://localhost:${listening.port}`;
  const user = await createUserService({
    database: userDatabase,
    logger: logTo("user"),
    encoder(token) {
      userToken = token;
      return toEncoder;
    },
    dataDir,
    ...accountOptions(config),
    quotaMinutes: config.QUOTA_MINUTES,
    quotaStorageBytes: config.QUOTA_STORAGE_GB * 1e9,
    signingSecret: config.SIGNING_KEY_SECRET,
    keys: { worker: config.WORKER_API_KEY },
    // All that verifies tokens is in this process, so nothing is behind that wouldn't know this issuer.
    issuer: publicUrl,
    publicUrl,
    signal,
  });
  starting.defer(() => user.close());
  await user.work();

  const authenticate = createAuthenticator({ keys: user.keys, ...shared });
  const userInMemory = (token?: Token) =>
    createInMemoryTransport({
      routes: user.routes,
      authenticate,
      logger: logTo("user"),
      telemetry,
      ...(token !== undefined && { token }),
    });
  const keys = createClient(KeyService, userInMemory());
  // As they would apart: with API keys of their own, for tokens that are good at the other side alone.
  const tokenOf = async (name: "encoder" | "worker", audience: string, configured?: string): Promise<Token> => {
    const key = configured ?? (await localCredential(dataDir, `${name}-key`));
    const exchange = (signal: AbortSignal) => keys.exchangeKey({ key, audiences: [audience] }, { signal });
    const credential = createKeyCredential({ exchange, logger: logTo(name) });
    starting.defer(() => credential.close());
    return (signal) => credential.token(signal);
  };
  const encoderToken = await tokenOf("encoder", "user");
  const workerToken = await tokenOf("worker", "encoder", config.WORKER_API_KEY);
  const encoder = await createEncoderService({
    database: encoderDatabase,
    dataDir,
    logger: logTo("encoder"),
    userTransport: userInMemory(encoderToken),
    authenticate,
    s3: config.STORAGE_URL,
    playbackFrom: config.PLAYBACK_FROM,
    webhookTargets: config.WEBHOOK_TARGETS,
    gpuPatienceSeconds: config.GPU_PATIENCE,
    sealingSecret,
    publicUrl,
    internalUrl: () => `http://${reachableHost(config.HOST)}:${listening.port}`,
  });
  starting.defer(() => encoder.close());
  const encoderInMemory = (token: Token) =>
    createInMemoryTransport({ routes: encoder.routes, authenticate, logger: logTo("encoder"), token, telemetry });
  toEncoder.connect(encoderInMemory(userToken));

  const discovery: HttpRoute = {
    path: "/.well-known/kinora",
    handle: (request, response) =>
      discoveryRoute({ user: publicUrl(), encoder: publicUrl() }).handle(request, response),
  };
  const routes: Routes = (router) => {
    user.routes(router);
    encoder.routes(router);
  };
  const server = createServer({
    routes,
    longPolls: encoder.longPolls,
    steadfast: encoder.steadfast,
    // It calls nobody outside of this process.
    http: [
      ...consoleRoutes(),
      ...user.http,
      ...encoder.http,
      discovery,
      contractsRoute({ service: "kinora", routes, calls: [] }),
    ],
    ownersRequired: true,
    queued: user.queued,
    interceptors: config.TRUSTED_PROXIES === undefined ? [] : [trustProxies(config.TRUSTED_PROXIES)],
    authenticate,
    logger,
    telemetry,
    ready: async () => {
      await Promise.all([userDatabase.check(), encoderDatabase.check()]);
    },
  });
  listening = await server.listen({ port: config.PORT, host: config.HOST });
  starting.defer(() => server.close());

  const withdraw = await both(announce(dataDir, "user", publicUrl()), announce(dataDir, "encoder", publicUrl()));

  const workers = new AbortController();
  const worker = createWorker({
    transport: encoderInMemory(workerToken),
    spoolDir,
    ...(config.WORKER_SLOTS ? { slots: config.WORKER_SLOTS } : {}),
    keepsChildReady: true,
    drainGraceMs,
    workerId: `${hostname()}-${process.pid}`,
    logger: logTo("worker"),
  });
  const working = config.WORKER_SLOTS !== 0 ? worker.run(workers.signal) : Promise.resolve(); // a rejection ends the process
  logger.info({ data: dataDir }, `Kinora is ready at ${publicUrl()}`);

  const started = starting.move();
  return {
    /** Ends within 5 s: what waits for news is told first, then the worker hands back its task while calls in flight finish. */
    async close() {
      await Promise.all(withdraw.map((one) => one()));
      encoder.drain();
      workers.abort();
      await Promise.allSettled([working, server.close(graceMs)]);
      await started.disposeAsync();
    },
  };
}

/** Like `Promise.all` of two, but waits for both before it rejects, so that nothing starts behind the back of the clean-up. */
async function both<T>(one: Promise<T>, other: Promise<T>): Promise<[T, T]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}

/** How this machine reaches a server that listens on `host`. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
