import { createServer } from "node:http";
import { commonAudience, tokenIssuer, tokenType } from "@kinora/service";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { listen } from "./servers/running-server.ts";
import type { Production } from "./servers/server-spec.ts";

/** What surrounds a service in production, for our server with everything on. */
export type ProductionSetting = AsyncDisposable & {
  /** A person's access token as the user service signs them: `Bearer <token>`. */
  authorization: string;
  /** What the server needs to know. `sampled`: the share of the traces that it records. */
  around(sampled: number): Production;
};

/** The share of the traces that a busy service records. */
export const usualShare = 0.01;

/**
 * A signed token with the key that proves it, made anew for each run, whose time is the servers'; and a collector that takes traces and metrics and forgets
 * them, in this process, so that only sending them is on the server's bill.
 */
export async function startProduction(): Promise<ProductionSetting> {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const time = Date.now();
  const token = await new SignJWT({ sid: crypto.randomUUID(), role: "member", kind: "user", scope: "echo:say" })
    .setProtectedHeader({ alg: "EdDSA", kid: "bench", typ: tokenType })
    .setSubject(crypto.randomUUID())
    .setIssuer(tokenIssuer)
    .setAudience(commonAudience)
    .setIssuedAt(new Date(time))
    .setExpirationTime(new Date(time + 600_000))
    .sign(privateKey);
  const collector = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.writeHead(200, { "content-type": "application/x-protobuf" }).end());
  });
  const { port } = await listen(collector);
  const jwk = await exportJWK(publicKey);
  return {
    authorization: `Bearer ${token}`,
    around: (sampled) => ({ publicKey: jwk, time, sampled, collector: `http://127.0.0.1:${port}` }),
    async [Symbol.asyncDispose]() {
      collector.closeAllConnections();
      await new Promise((resolve) => collector.close(resolve));
    },
  };
}
