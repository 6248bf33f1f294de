/** A server of ours as a process of its own, whose one path answers with more than anybody takes. Tells its port; on "collect" it makes garbage until some is collected. */
import { createServer } from "../server/create-server.ts";
import { echoAuthenticate, echoRoutes } from "./echo-service.ts";
import { recordingLogger } from "./recording-logger.ts";

const large = Buffer.alloc(8 * 1024 * 1024);
const server = createServer({
  routes: echoRoutes(),
  authenticate: echoAuthenticate,
  logger: recordingLogger(),
  http: [
    {
      path: "/large",
      async handle(_request, response) {
        response.end(large);
      },
    },
  ],
});

process.on("message", async () => {
  for (let i = 0; i < 100; i++) {
    Array.from({ length: 40 }, () => new Array(10_000).fill(i));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  process.send?.("collected");
});
process.on("disconnect", () => process.exit());

const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
process.send?.(port);
