import type { X509Certificate } from "node:crypto";
import { createServer, type Server, TLSSocket } from "node:tls";

/** A certificate and its key, in PEM form, and who may have signed those of clients. */
export type Credentials = { key: string | Buffer; cert: string | Buffer; ca?: string | Buffer };

/** How a listener identifies itself, and whether its clients must. */
export type TlsOptions = Credentials & {
  /**
   * "required": a connection without a certificate that `ca` has signed is refused. "optional": clients may have one, and one that isn't good counts as none.
   * Clients are not asked if not given.
   */
  requestClientCertificate?: "required" | "optional";
};

/** A TLS server that offers both versions of HTTP (ALPN). Throws when key and certificate can't be read or don't belong together. */
export function createTlsServer(
  { requestClientCertificate, ...credentials }: TlsOptions,
  handshakeMs: number,
  onConnection: (socket: TLSSocket, kind: "http1" | "http2") => void,
): Server {
  if (requestClientCertificate !== undefined && credentials.ca === undefined) {
    throw new Error(
      "tls.requestClientCertificate needs tls.ca: the certificate of who signs the clients' certificates",
    );
  }
  const server = createServer(
    {
      ...credentials,
      ALPNProtocols: ["h2", "http/1.1"],
      minVersion: "TLSv1.2",
      handshakeTimeout: handshakeMs,
      requestCert: requestClientCertificate !== undefined,
      rejectUnauthorized: requestClientCertificate === "required",
    },
    (socket) => onConnection(socket, socket.alpnProtocol === "h2" ? "http2" : "http1"),
  );
  // Node leaves the connection of a failed or endless handshake open.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

/**
 * The certificate that the client at the other end of a connection has identified itself with; undefined without TLS, without one, when it isn't good, or
 * when the connection is gone. Takes the socket of a request or of an HTTP/2 session.
 */
export function certificateOfPeer(socket: object | undefined): X509Certificate | undefined {
  try {
    return socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
  } catch {
    // An HTTP/2 session's stand-in for its socket throws once that is gone.
    return undefined;
  }
}
