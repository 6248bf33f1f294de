import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { request } from "node:https";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { createClient } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { createClientTransport } from "../client/client-transport.ts";
import { peerCertificateOf } from "../peer-certificate.ts";
import { createCertificateAuthority, type Identity } from "../testing/certificates.ts";
import { echoRoutes } from "../testing/echo-service.ts";
import { startServer } from "../testing/start-server.ts";
import { certificateOfPeer, type TlsOptions } from "./tls.ts";

const authority = createCertificateAuthority();
const { ca } = authority;

/** A server that says by whom a request comes. */
function start(options: Partial<TlsOptions> = {}) {
  return startServer({
    tls: { ...authority.issue("server.test"), ...options },
    http: [
      {
        path: "/who",
        async handle(request, response) {
          const socket = "stream" in request ? request.stream.session?.socket : request.socket;
          response.end(`${request.httpVersion} ${certificateOfPeer(socket)?.subject ?? "nobody"}`);
        },
      },
    ],
  });
}

/** What the server says over HTTP/2; rejects where it doesn't take the connection. */
async function whoByHttp2(url: string, identity: Partial<Identity> = {}): Promise<string> {
  const session = connectHttp2(url, { ca, ...identity });
  session.on("error", () => {});
  try {
    const answer = await text(session.request({ ":path": "/who" }));
    if (answer === "") {
      throw new Error("closed without an answer");
    }
    return answer;
  } finally {
    session.destroy();
  }
}

async function whoByHttp1(url: string, identity: Partial<Identity> = {}): Promise<string> {
  const asked = request(`${url}/who`, { ca, agent: false, ...identity }).end();
  const [response] = await once(asked, "response");
  return text(response);
}

/** The name on the certificate that the server shows. */
async function shownBy(port: number): Promise<string | undefined> {
  const socket = connectTls({ port, host: "127.0.0.1", ca, ALPNProtocols: ["h2"] });
  await once(socket, "secureConnect");
  const name = socket.getPeerX509Certificate()?.subject;
  socket.destroy();
  return name;
}

describe("a handler", () => {
  it.each(["2", "1.1"] as const)("knows the certificate of its caller, over HTTP/%s", async (httpVersion) => {
    const seen: (string | undefined)[] = [];
    await using server = await startServer({
      tls: { ...authority.issue("server.test"), ca, requestClientCertificate: "required" },
      routes: echoRoutes({
        echo: ({ text }, context) => {
          seen.push(peerCertificateOf(context)?.subject);
          return { text };
        },
        async *count(_request, context) {
          seen.push(peerCertificateOf(context)?.subject);
          yield { number: 1 };
        },
      }),
    });
    const transport = createClientTransport({
      baseUrl: server.url,
      protocol: "connect",
      httpVersion,
      tls: { ...authority.issue("client.test"), ca },
    });
    const client = createClient(EchoService, transport);
    await client.echo({ text: "who" });
    for await (const { number } of client.count({ count: 1 })) {
      expect(number).toBe(1);
    }
    transport.close();
    expect(seen).toEqual([expect.stringContaining("client.test"), expect.stringContaining("client.test")]);
  });
});

describe("a server with a certificate", () => {
  it("answers both versions on one port, and says so in its address", async () => {
    await using server = await start();
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await whoByHttp2(server.url)).toBe("2.0 nobody");
    expect(await whoByHttp1(server.url)).toBe("1.1 nobody");
  });

  it("goes on after clients that speak no TLS, or none of its versions", async () => {
    await using server = await start();
    await expect(fetch(server.url.replace("https", "http"))).rejects.toThrow();
    const old = connectTls({ port: server.port, host: "127.0.0.1", ca, maxVersion: "TLSv1.1", minVersion: "TLSv1" });
    await once(old, "error");
    expect(await whoByHttp2(server.url)).toBe("2.0 nobody");
  });

  it("cuts a handshake that doesn't come to an end", async () => {
    await using server = await startServer({ tls: authority.issue("server.test"), limits: { headersMs: 100 } });
    const socket = connect(server.port, "127.0.0.1").on("error", () => {});
    socket.resume();
    await once(socket, "close");
  });

  it("shows a new certificate to new connections, without a restart", async () => {
    await using server = await start();
    const session = connectHttp2(server.url, { ca });
    expect(await text(session.request({ ":path": "/who" }))).toBe("2.0 nobody");
    expect(await shownBy(server.port)).toBe("CN=server.test");
    server.setSecureContext(authority.issue("renewed.test"));
    expect(await shownBy(server.port)).toBe("CN=renewed.test");
    // Those there are stay.
    expect(await text(session.request({ ":path": "/who" }))).toBe("2.0 nobody");
    session.close();
  });

  it("keeps the one it has when the new one can't be read", async () => {
    await using server = await start();
    const { key, cert } = authority.issue("renewed.test");
    expect(() => server.setSecureContext({ key, cert: cert.slice(0, 200) })).toThrow();
    expect(() => server.setSecureContext({ key: authority.issue("other.test").key, cert })).toThrow(/mismatch/);
    expect(await shownBy(server.port)).toBe("CN=server.test");
  });

  it("drains like any other", async () => {
    await using server = await start();
    const session = connectHttp2(server.url, { ca });
    expect(await text(session.request({ ":path": "/who" }))).toBe("2.0 nobody");
    const goaway = once(session, "goaway");
    const closed = once(session, "close");
    await server.close();
    expect((await goaway)[0]).toBe(0);
    await closed;
  });
});

describe("a server without one", () => {
  it("says that it has none to renew", async () => {
    await using server = await startServer();
    expect(() => server.setSecureContext(authority.issue("server.test"))).toThrow(/without TLS/);
  });
});

describe("certificates of clients", () => {
  it("are not asked for without an authority to judge them", async () => {
    await expect(start({ requestClientCertificate: "required" })).rejects.toThrow(/tls\.ca/);
  });

  it("let in who has a good one, where one is required", async () => {
    await using server = await start({ ca, requestClientCertificate: "required" });
    const good = authority.issue("worker.test");
    expect(await whoByHttp2(server.url, good)).toBe("2.0 CN=worker.test");
    expect(await whoByHttp1(server.url, good)).toBe("1.1 CN=worker.test");
    await expect(whoByHttp2(server.url)).rejects.toThrow();
    await expect(whoByHttp1(server.url)).rejects.toThrow();
    const strangers = createCertificateAuthority("test authority");
    await expect(whoByHttp2(server.url, strangers.issue("worker.test"))).rejects.toThrow();
    await expect(whoByHttp1(server.url, strangers.issue("worker.test"))).rejects.toThrow();
  });

  it("tell who it is, where they are optional; a bad one counts as none", async () => {
    await using server = await start({ ca, requestClientCertificate: "optional" });
    expect(await whoByHttp2(server.url, authority.issue("worker.test"))).toBe("2.0 CN=worker.test");
    expect(await whoByHttp2(server.url)).toBe("2.0 nobody");
    const strangers = createCertificateAuthority("strangers");
    expect(await whoByHttp2(server.url, strangers.issue("worker.test"))).toBe("2.0 nobody");
  });

  it("stay required when the server's own is renewed", async () => {
    await using server = await start({ ca, requestClientCertificate: "required" });
    server.setSecureContext({ ...authority.issue("renewed.test"), ca });
    expect(await whoByHttp2(server.url, authority.issue("worker.test"))).toBe("2.0 CN=worker.test");
    await expect(whoByHttp2(server.url)).rejects.toThrow();
  });
});
