import type { Authenticate, Logger } from "@kinora/rpc";
import { createServer, type ServerOptions } from "@kinora/rpc";
import {
  createAuthenticator,
  createLogger,
  fixedKeys,
  readConfig,
  startTelemetry,
  telemetrySettings,
} from "@kinora/service";
import { benchRoutes } from "./bench-routes.ts";
import type { RunningServer } from "./running-server.ts";
import type { Around, Production, ServerSpec } from "./server-spec.ts";

/** Our server as users run it, on its one port. */
export async function start(spec: Extract<ServerSpec, { kind: "kinora" }>): Promise<RunningServer> {
  const routes = benchRoutes(spec.work);
  const server = createServer({ routes, ...(await optionsFor(spec.around)) });
  const { port } = await server.listen(
    spec.path === undefined ? { port: spec.port ?? 0, host: "127.0.0.1" } : { path: spec.path },
  );
  return { port, close: () => server.close() };
}

/** What our server and our in-memory transport are given beside the routes. */
export async function optionsFor(around: Around): Promise<Omit<ServerOptions, "routes">> {
  return typeof around === "string" ? bare(around === "shedding") : everything(around);
}

/** No authentication, log, validation, telemetry; shedding if it is about that. */
function bare(shedding: boolean): Omit<ServerOptions, "routes"> {
  const nobody: Authenticate = async () => ({ kind: "anonymous" });
  const off = { validation: false, accessLog: false } as const;
  return { authenticate: nobody, logger: silent, ...off, ...(shedding ? {} : { shedding: false }) };
}

/** What a production service has: tokens verified, validation, traces and metrics, JSON access log, shedding. */
async function everything({ publicKey, time, sampled, collector }: Production): Promise<Omit<ServerOptions, "routes">> {
  const keys = fixedKeys({ keys: [{ ...publicKey, kid: "bench" }] });
  const logger = createLogger({ name: "bench", level: "info", format: "json" });
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector,
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: String(sampled),
    OTEL_METRIC_EXPORT_INTERVAL: "10000",
  };
  const config = readConfig(environment, telemetrySettings);
  const { calls } = await startTelemetry(config, "bench", logger);
  return { authenticate: createAuthenticator({ keys, now: () => time }), logger, telemetry: calls };
}

const nothing = () => {};
const silent: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: (...line: unknown[]) => console.error(...line),
  fatal: nothing,
  child: () => silent,
};
