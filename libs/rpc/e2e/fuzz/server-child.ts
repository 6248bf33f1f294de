/** The server that is fuzzed: a process of its own, so that its end shows. Tells its port, and on "look" what it holds. */
import { createServer } from "../../src/server/create-server.ts";
import { echoAuthenticate, echoRoutes } from "../../src/testing/echo-service.ts";
import { countResources } from "../../src/testing/hostile-client.ts";
import { recordingLogger } from "../../src/testing/recording-logger.ts";

/** What the process holds once garbage is gone. `unexpected`: what was logged as an error since the last look. */
export type Look = { streams: number; sockets: number; heapMegabytes: number; unexpected: string[] };

const logger = recordingLogger();
const resources = countResources();
const server = createServer({
  routes: echoRoutes(),
  authenticate: echoAuthenticate,
  logger,
  limits: {
    headersMs: 1_000,
    firstStreamMs: 1_000,
    unaryBodyMs: 500,
    stallMs: 500,
    lingerMs: 200,
    idleConnectionMs: 1_000,
    connectionAgeGraceMs: 1_000,
    keepAliveMs: 1_000,
    callMs: 1_000,
  },
});

process.on("message", (message) => {
  if (message !== "look") {
    return;
  }
  globalThis.gc?.();
  const { streams, sockets } = resources.now();
  const unexpected = logger.lines
    .filter(({ level }) => level === "error" || level === "fatal")
    .map(({ message, fields }) => `${message}: ${fields.err instanceof Error ? fields.err.stack : ""}`);
  logger.lines.length = 0;
  const look: Look = { streams, sockets, heapMegabytes: process.memoryUsage().heapUsed / 2 ** 20, unexpected };
  process.send?.(look);
});
process.on("disconnect", () => process.exit());
// Lines of a long run are no leak.
setInterval(() => {
  const errors = logger.lines.filter(({ level }) => level === "error" || level === "fatal");
  logger.lines.splice(0, logger.lines.length, ...errors);
}, 100).unref();

const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
process.send?.({ port });
