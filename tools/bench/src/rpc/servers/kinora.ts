import type { Authenticate, Logger } from "@kinora/rpc";
import { createServer, type ServerOptions } from "@kinora/rpc";
import { createAuthenticator, createLogger } from "@kinora/service";
import { importJWK } from "jose";
import { benchRoutes } from "./bench-routes.ts";
import type { RunningServer } from "./running-server.ts";
import type { Around, ServerSpec } from "./server-spec.ts";

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
  const off = { validation: false, accessLog: false, ...(shedding ? {} : { shedding: false }) };
  return { authenticate: nobody, logger: silent, ...off };
}

/** What a production service has: a signed token verified, validation, telemetry, JSON access log, shedding. */
async function everything({ publicKey }: Exclude<Around, string>): Promise<Omit<ServerOptions, "routes">> {
  const key = await importJWK(publicKey, "EdDSA");
  return {
    authenticate: createAuthenticator({ keys: async () => key }),
    logger: createLogger({ name: "bench", level: "info", format: "json" }),
  };
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
