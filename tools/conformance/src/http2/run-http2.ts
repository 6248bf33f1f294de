import { createServer } from "@kinora/rpc";
import { createCertificateAuthority } from "@kinora/rpc/testing/certificates";
import { stderrLogger } from "../stderr-logger.ts";
import type { GoOptions } from "../suite/go.ts";
import type { Outcome } from "../suite/outcome.ts";
import { runH2spec } from "./h2spec.ts";

/**
 * h2spec against our server. With TLS, where HTTP/2 has a port of its own as far as the client sees: without, what doesn't begin like HTTP/2 is answered as HTTP/1.1, and one of the
 * cases is just that.
 */
export async function runHttp2(h2spec: string, options: GoOptions): Promise<Outcome | undefined> {
  const server = createServer({
    tls: createCertificateAuthority().issue("localhost"),
    routes: () => {},
    http: [
      {
        path: "/answer",
        async handle(request, response) {
          request.resume();
          response.end("answer");
        },
      },
    ],
    authenticate: async () => ({ kind: "anonymous" }),
    logger: stderrLogger(false),
  });
  const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
  try {
    return await runH2spec(h2spec, port, "/answer", options);
  } finally {
    await server.close(0);
  }
}
