import { text } from "node:stream/consumers";
import { createClient } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { createInMemoryTransport } from "../client/in-memory-transport.ts";
import { DomainError } from "../domain-error.ts";
import type { HttpRoute } from "../routes.ts";
import { echoAuthenticate, echoRoutes } from "../testing/echo-service.ts";
import { recordingLogger } from "../testing/recording-logger.ts";
import { startServer } from "../testing/start-server.ts";

function start(handle: HttpRoute["handle"]) {
  return startServer({ http: [{ path: "/route/", handle }] });
}

describe("a plain HTTP route", () => {
  it("answers a DomainError with its status and message", async () => {
    await using server = await start(async (_request, response) => {
      response.setHeader("x-half-done", "yes");
      throw new DomainError("exhausted", "too many; wait", { retryAfterSeconds: 3 });
    });
    const response = await fetch(`${server.url}/route/a`);
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("3");
    expect(response.headers.has("x-half-done")).toBe(false);
    expect(await response.json()).toEqual({ code: "resource_exhausted", message: "too many; wait" });
  });

  it("answers what nobody foresaw with 500 and a reference to the log", async () => {
    await using server = await start(async () => {
      throw new Error("secret internals");
    });
    const response = await fetch(`${server.url}/route/a`);
    expect(response.status).toBe(500);
    const { code, message } = (await response.json()) as { code: string; message: string };
    expect(code).toBe("internal");
    expect(message).not.toContain("secret");
    const line = server.lines.find(({ level }) => level === "error");
    expect(message).toContain(String(line?.fields.trace));
  });

  it("breaks off an answer that fails in the middle", async () => {
    await using server = await start(async (_request, response) => {
      response.setHeader("content-length", 1000);
      if (!("stream" in response)) {
        response.flushHeaders();
      }
      throw new Error("in the middle");
    });
    await expect(fetch(`${server.url}/route/a`).then((response) => response.text())).rejects.toThrow();
  });

  it("leaves a line in the log, without the query", async () => {
    await using server = await start(async (request, response) => {
      await text(request);
      response.statusCode = 201;
      response.end();
    });
    await fetch(`${server.url}/route/a?signature=secret`, { method: "PUT", body: "x" });
    await expect.poll(() => server.lines.length, { timeout: 10_000 }).toBe(1);
    expect(server.lines[0]).toMatchObject({
      level: "info",
      message: "request",
      fields: { method: "PUT /route/", code: 201, protocol: "http/1.1", trace: expect.any(String) },
    });
    expect(JSON.stringify(server.lines)).not.toContain("secret");
  });

  it("passes its trace on to the calls that it makes", async () => {
    const logger = recordingLogger();
    const transport = createInMemoryTransport({ routes: echoRoutes(), authenticate: echoAuthenticate, logger });
    await using server = await start(async (_request, response) => {
      await createClient(EchoService, transport).echo({ text: "hello" });
      response.end();
    });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await fetch(`${server.url}/route/a`, { headers: { traceparent } });
    expect(logger.lines[0]?.fields.trace).toBe("0af7651916cd43dd8448eb211c80319c");
  });
});
