import { type ClientHttp2Session, connect, type SecureClientSessionOptions } from "node:http2";
import { connect as connectSocket, isIP, type Socket } from "node:net";
import { connect as connectTls, type SecureContextOptions } from "node:tls";
import { type Address, authorityOf } from "./address.ts";

/** TLS towards a server: whom to trust, and, where the server asks who we are (mTLS), our certificate and key in PEM. */
export type TlsOptions = Pick<SecureContextOptions, "ca" | "cert" | "key"> & {
  /** The name that the server's certificate must have; its host if not given. */
  serverName?: string;
};

/** Begins to connect. Session and socket report how that goes. */
export type Dial = () => { session: ClientHttp2Session; socket: Socket };

/**
 * Bytes that a server may send ahead of what has been read. HTTP/2's own 64 kB make a reply of 100 kB wait for a round trip in between; one stream's window holds a
 * message of usual size, the connection's a few of them.
 */
const streamWindowBytes = 1024 * 1024;
export const connectionWindowBytes = 8 * 1024 * 1024;

/** Connects to an address; with TLS where its options are given, and then only to a server that speaks HTTP/2. */
export function createDial(address: Address, tls?: TlsOptions): Dial {
  const options: SecureClientSessionOptions & { strictSingleValueFields: boolean } = {
    // Megabytes. What a call sends is in memory anyway, and by Node's own 10 MB calls that send much at once end as ENHANCE_YOUR_CALM (flow-control.test.ts).
    maxSessionMemory: 1024,
    settings: { enablePush: false, initialWindowSize: streamWindowBytes },
    // Each header is given once by construction; looking again costs time in every call.
    strictSingleValueFields: false,
  };
  if (tls === undefined) {
    return () => {
      const socket = connectSocket({ ...address, noDelay: true });
      const session = connect(`http://${authorityOf(address)}`, { ...options, createConnection: () => socket });
      return { session, socket };
    };
  }
  const { serverName, ...secrets } = tls;
  const host = "path" in address ? "localhost" : address.host;
  const name = serverName ?? (isIP(host) === 0 ? host : undefined);
  return () => {
    const socket = connectTls({
      ...address,
      ...secrets,
      ALPNProtocols: ["h2"],
      ...(name === undefined ? {} : { servername: name }),
    });
    const session = connect(`https://${authorityOf(address)}`, { ...options, createConnection: () => socket });
    return { session, socket };
  };
}
