import type { X509Certificate } from "node:crypto";
import { type ContextKey, createContextKey, type HandlerContext } from "@connectrpc/connect";

/** Where the server leaves what looks up the certificate of the peer. */
export const peerCertificateKey: ContextKey<() => X509Certificate | undefined> = createContextKey<
  () => X509Certificate | undefined
>(() => undefined, { description: "peer certificate" });

/**
 * The certificate that the caller of this call has identified itself with (mTLS: `tls.ca`, `tls.requestClientCertificate`); undefined without TLS, without one, when it isn't good, and
 * for calls within the process.
 */
export function peerCertificateOf(context: Pick<HandlerContext, "values">): X509Certificate | undefined {
  return context.values.get(peerCertificateKey)();
}
