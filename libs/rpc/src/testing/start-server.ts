import { createServer, type RpcServer, type ServerOptions } from "../server/create-server.ts";
import { echoAuthenticate, echoRoutes } from "./echo-service.ts";
import { type LogLine, recordingLogger } from "./recording-logger.ts";

/** A server on a free port of the loopback interface, gone at the end of its scope (`await using`). */
export type TestServer = AsyncDisposable & {
  url: string;
  port: number;
  lines: LogLine[];
  setSecureContext: RpcServer["setSecureContext"];
  close(graceMs?: number): Promise<void>;
};

/** Starts the echo service, or whatever the options say. */
export async function startServer(options: Partial<ServerOptions> & { port?: number } = {}): Promise<TestServer> {
  const logger = recordingLogger();
  const server = createServer({ routes: echoRoutes(), authenticate: echoAuthenticate, logger, ...options });
  const bound = await server.listen({ port: options.port ?? 0, host: "127.0.0.1" });
  return {
    ...bound,
    lines: logger.lines,
    setSecureContext: server.setSecureContext,
    close: (graceMs) => server.close(graceMs),
    [Symbol.asyncDispose]: () => server.close(0),
  };
}
