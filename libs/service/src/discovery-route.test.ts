import { createServer, type RpcServer } from "@kinora/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { discoveryRoute } from "./discovery-route.ts";
import { createLogger } from "./logger.ts";

let server: RpcServer;
let url: string;
beforeAll(async () => {
  server = createServer({
    routes: () => {},
    http: [discoveryRoute({ user: "http://user", encoder: "http://encoder" })],
    authenticate: async () => ({ kind: "anonymous" }),
    logger: createLogger({ name: "test", level: "silent", format: "json" }),
  });
  ({ url } = await server.listen({ port: 0, host: "127.0.0.1" }));
});
afterAll(() => server.close());

describe("discovery", () => {
  it("tells everybody where the services are", async () => {
    const response = await fetch(`${url}/.well-known/kinora`);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(await response.json()).toEqual({ user: "http://user", encoder: "http://encoder" });
  });

  it("can only be read", async () => {
    const response = await fetch(`${url}/.well-known/kinora`, { method: "POST" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
  });
});
