import { fastify } from "fastify";
import { getUserPath, user } from "../messages.ts";
import { portOf, type RunningServer } from "./running-server.ts";

/** Fastify over HTTP/1.1 with schemas, which is how it is fastest. */
export async function start(): Promise<RunningServer> {
  const app = fastify({ logger: false });
  app.post(
    getUserPath,
    {
      schema: {
        body: {
          type: "object",
          required: ["id"],
          properties: { id: { type: "string", minLength: 1, maxLength: 64 } },
        },
        response: {
          200: { type: "object", properties: { name: { type: "string" }, age: { type: "integer" } } },
        },
      },
    },
    async () => user,
  );
  await app.listen({ host: "127.0.0.1", port: 0 });
  return { port: portOf(app.server), close: () => app.close() };
}
