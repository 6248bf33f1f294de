/** A service of a chain, for telemetry.test.ts: says the trace that it was called in, after the service at NEXT_URL if there is one. */
import { createClient } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { createClientTransport, createServer, currentTrace } from "@kinora/rpc";
import { commonSettings, configuredLogger } from "../common-settings.ts";
import { readConfig } from "../config.ts";
import { optional, text, url } from "../config-settings.ts";
import { runMain } from "../run-main.ts";
import { startTelemetry } from "../telemetry/telemetry.ts";

await runMain({
  name: "chain",
  async start({ env }) {
    const config = readConfig(env, { ...commonSettings, NAME: text(), NEXT_URL: optional(url()) });
    const logger = configuredLogger(config.NAME, config);
    const telemetry = await startTelemetry(config, config.NAME, logger);
    const transport =
      config.NEXT_URL === undefined
        ? undefined
        : createClientTransport({ baseUrl: config.NEXT_URL, telemetry: telemetry.calls, timeoutMs: 5_000 });
    const next = transport && createClient(EchoService, transport);
    const server = createServer({
      routes: (router) => {
        router.rpc(EchoService.method.echo, async (request) => {
          const { text = "" } = (await next?.echo(request)) ?? {};
          return { text: `${currentTrace()?.traceId} ${text}`.trim() };
        });
      },
      authenticate: async () => ({ kind: "anonymous" }),
      logger,
      telemetry: telemetry.calls,
    });
    const { url: here } = await server.listen({ port: 0, host: "127.0.0.1" });
    logger.info({ url: here }, "listening");
    return {
      async close() {
        transport?.close();
        await server.close(500);
        await telemetry.close();
      },
    };
  },
});
