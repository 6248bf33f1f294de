import { createHash, X509Certificate } from "node:crypto";
import { type RequestListener, request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createSecureContext } from "node:tls";
import { createCertificateAuthority } from "@kinora/rpc/testing/certificates";

/** What stands in front of Kinora where people use it: it ends TLS, and says whom it calls for. Other sites are beside it, each at a name of its own. */
export type TlsFront = AsyncDisposable & {
  /** What makes Chromium find those names here, and take their certificates. */
  browserArgs: string[];
};

/** Names and what answers there: an upstream's address, or pages of one's own. */
export async function startTlsFront(sites: Record<string, string | RequestListener>): Promise<TlsFront> {
  const authority = createCertificateAuthority();
  const identities = new Map(Object.keys(sites).map((name) => [name, authority.issue(name)] as const));
  const server = createServer(
    {
      SNICallback: (name, done) => {
        const identity = identities.get(name);
        if (identity === undefined) done(new Error(`there is no ${name}`));
        else done(null, createSecureContext(identity));
      },
    },
    (incoming, outgoing) => {
      const site = sites[incoming.headers.host ?? ""];
      if (typeof site === "function") return site(incoming, outgoing);
      const headers = { ...incoming.headers, "x-forwarded-for": incoming.socket.remoteAddress };
      const upstream = request(`${site}${incoming.url}`, { method: incoming.method ?? "GET", headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      upstream.on("error", () => outgoing.destroy());
      incoming.pipe(upstream);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const pins = [...identities.values()].map(({ cert }) =>
    createHash("sha256")
      .update(new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" }))
      .digest("base64"),
  );
  return {
    browserArgs: [
      `--host-resolver-rules=${Object.keys(sites)
        .map((name) => `MAP ${name}:443 127.0.0.1:${port}`)
        .join(",")}`,
      `--ignore-certificate-errors-spki-list=${pins.join(",")}`,
    ],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
