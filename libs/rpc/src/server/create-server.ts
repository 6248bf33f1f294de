import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { Health } from "@kinora/proto-common";
import { createDirectCalls } from "../call/direct-calls.ts";
import { createLifecycle } from "../call/lifecycle.ts";
import { servicesOf } from "../call/served-method.ts";
import { servedMethods } from "../call/served-methods.ts";
import { loadValidator } from "../call/validation.ts";
import { idempotencyInterceptor } from "../idempotency/idempotency.ts";
import { createMemoryIdempotencyStore } from "../idempotency/memory-idempotency-store.ts";
import { defaultLimits, type Limits } from "../limits.ts";
import type { ServiceOptions } from "../routes.ts";
import type { LimiterOptions } from "../shedding/concurrency-limiter.ts";
import { createSheddings } from "../shedding/sheddings.ts";
import { createTurns } from "../shedding/turns.ts";
import { acceptedCompression } from "./accepted-compression.ts";
import { createDirectServer } from "./direct/direct-server.ts";
import { createHealth } from "./health.ts";
import { createListener, type ListenAddress, type Listener } from "./listener.ts";
import { createProbes } from "./probes.ts";
import { createReadiness } from "./readiness.ts";
import { createReflection } from "./reflection.ts";
import { createRequestListener } from "./request-listener.ts";
import { createRouter } from "./router.ts";
import type { TlsOptions } from "./tls.ts";
import { answerTooLarge } from "./too-large.ts";

/** What `createServer` needs. `ready` throws while the service can't take calls (its database is away, for example); `limits` changes some of the defaults. */
export type ServerOptions = ServiceOptions & {
  ready?: () => Promise<void>;
  limits?: Partial<Limits>;
  /** How calls are refused that can't be answered in time (docs/overload.md); `false`: none is. */
  shedding?: Partial<LimiterOptions> | false;
  /** Cleartext if not given. */
  tls?: TlsOptions;
};

/** Serves RPCs and plain HTTP on one port. */
export type RpcServer = {
  /** Says where it listens. Rejects as the listener does. */
  listen(address: ListenAddress): Promise<{ url: string; port: number }>;
  setSecureContext: Listener["setSecureContext"];
  /**
   * NOT_SERVING, no new connections and streams, calls in flight finish (streams end as `unavailable`), close; after `graceMs` (4000)
   * whatever is left is cut.
   */
  close(graceMs?: number): Promise<void>;
};

/**
 * Serves a service on one port, over HTTP/1.1 and HTTP/2 without TLS: its RPCs as Connect, gRPC, gRPC-Web and JSON, its plain HTTP routes, gRPC health
 * and reflection, `/healthz` and `/readyz`. Throws when a method doesn't state who may call it or when two handlers want the same path.
 *
 * @example
 * const server = createServer({ routes, authenticate, logger });
 * const { url } = await server.listen({ port: 8081, host: "127.0.0.1" });
 */
export function createServer(options: ServerOptions): RpcServer {
  const { logger } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const drain = new AbortController();
  const readiness = createReadiness(options.ready, drain.signal, logger);
  const shedding = options.shedding === false ? undefined : createSheddings(logger, options);
  const lifecycle = createLifecycle({
    authenticate: options.authenticate,
    logger,
    drain: drain.signal,
    accessLog: options.accessLog ?? true,
    telemetry: options.telemetry,
  });
  const shared = {
    lifecycle,
    logger,
    drain: drain.signal,
    limits,
    validation: options.validation ?? true,
    idempotency: idempotencyInterceptor(options.idempotencyStore ?? createMemoryIdempotencyStore()),
    acceptCompression: acceptedCompression,
    accessOf: options.accessOf,
    ownersRequired: options.ownersRequired,
  };
  const interceptors = options.interceptors ?? [];
  const sheddingOf = shedding?.of;
  const methods = servedMethods({ ...shared, routes: options.routes, interceptors, sheddingOf });
  const services = servicesOf(methods);
  const names = services.map(({ typeName }) => typeName);
  const operations = servedMethods({
    ...shared,
    interceptors: [],
    routes: (router) => {
      createHealth(names, readiness, drain.signal)(router);
      createReflection([...services, Health])(router);
    },
  });
  const handlers = [...methods, ...operations].map(({ handler }) => handler);
  const find = createRouter(handlers, [...(options.http ?? []), ...createProbes(readiness)]);
  const direct = createDirectServer(
    methods,
    createDirectCalls({ ...shared, interceptors, turns: shedding && createTurns() }),
    limits,
  );
  const requests = createRequestListener(find, direct, logger);
  const listener = createListener({
    onRequest: requests.listen,
    onStream: direct.onStream,
    onSimple: direct.onSimple,
    onTooLarge: answerTooLarge,
    onError: (error) => logger.error({ err: error }, "connection failed"),
    limits,
    tls: options.tls,
  });
  const scheme = options.tls === undefined ? "http" : "https";
  let closing: Promise<void> | undefined;
  let stopWatching = () => {};
  let validatorTimer: NodeJS.Timeout | undefined;

  async function close(graceMs: number): Promise<void> {
    stopWatching();
    clearTimeout(validatorTimer);
    drain.abort(new ConnectError("the server is shutting down", Code.Unavailable));
    const drained = listener.drain();
    const patience = new AbortController();
    const { signal } = patience;
    const idle = untilIdle(signal).then(() => sleep(limits.farewellMs, undefined, { signal }));
    await Promise.race([drained, idle, sleep(graceMs, undefined, { signal })]);
    patience.abort();
    idle.catch(() => {});
    listener.destroy();
    await drained;
  }

  /** Settles once every call and request has been answered to its last byte. */
  async function untilIdle(signal: AbortSignal): Promise<void> {
    while (listener.openStreams() > 0 || requests.underWay() > 0) {
      await sleep(idlePollMs, undefined, { signal });
    }
  }

  return {
    async listen(address) {
      const { port } = await listener.listen(address);
      stopWatching = shedding?.watch() ?? stopWatching;
      // Once whoever waits for the server has seen that it is ready; a call that comes before does it itself.
      validatorTimer = setTimeout(() => void loadValidator(), validatorMs).unref();
      return { url: "path" in address ? `unix:${address.path}` : urlOf(scheme, address.host, port), port };
    },
    setSecureContext: listener.setSecureContext,
    close(graceMs = 4000) {
      closing ??= close(graceMs);
      return closing;
    },
  };
}

const idlePollMs = 10;

/** Milliseconds after which a server loads what validates messages. */
const validatorMs = 100;

/** The address under which this machine reaches a listener. */
function urlOf(scheme: string, host: string, port: number): string {
  const anywhere = host === "0.0.0.0" || host === "::" || host === "";
  const name = anywhere ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `${scheme}://${name}:${port}`;
}
