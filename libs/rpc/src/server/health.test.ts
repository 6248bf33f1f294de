import { createClient } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@kinora/proto-common";
import { describe, expect, it } from "vitest";
import { createClientTransport } from "../client/client-transport.ts";
import { startServer } from "../testing/start-server.ts";

describe("health", () => {
  it("is SERVING for the server and each of its services, not_found for others", async () => {
    await using server = await startServer();
    const client = createClient(Health, createClientTransport({ baseUrl: server.url }));
    expect((await client.check({})).status).toBe(Status.SERVING);
    expect((await client.check({ service: "kinora.testing.v1.EchoService" })).status).toBe(Status.SERVING);
    await expect(client.check({ service: "no.Such" })).rejects.toMatchObject({ code: 5 });
    for await (const { status } of client.watch({ service: "no.Such" })) {
      expect(status).toBe(Status.SERVICE_UNKNOWN);
      break;
    }
  });

  it("is NOT_SERVING, and /readyz 503, while the service isn't ready; /healthz is 200 all the time", async () => {
    let ready = false;
    await using server = await startServer({
      ready: async () => {
        if (!ready) {
          throw new Error("the database is away: postgres://secret@host");
        }
      },
    });
    const client = createClient(Health, createClientTransport({ baseUrl: server.url }));
    expect((await client.check({})).status).toBe(Status.NOT_SERVING);
    const response = await fetch(`${server.url}/readyz`);
    expect(response.status).toBe(503);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({ status: "unavailable", reason: expect.any(String) });
    expect(body).not.toContain("secret");
    expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: "ok" });
    ready = true;
    expect((await client.check({})).status).toBe(Status.SERVING);
    expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({ status: "ok" });
    expect(server.lines.filter(({ level }) => level === "info")).toEqual([]);
  });

  it("tells watchers that the server closes, then ends", async () => {
    await using server = await startServer();
    const client = createClient(Health, createClientTransport({ baseUrl: server.url }));
    const seen: Status[] = [];
    for await (const { status } of client.watch({})) {
      seen.push(status);
      if (status === Status.SERVING) {
        void server.close();
      }
    }
    expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING]);
  });
});
