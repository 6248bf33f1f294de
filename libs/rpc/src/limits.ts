/** What a server and a client accept at most, so that nobody can make them hold or wait for more. */
export const limits = {
  /** Bytes of one message, in either direction, after decompression. */
  messageBytes: 4 * 1024 * 1024,
  /** Milliseconds that a unary call may take, on either side, where nobody says otherwise. */
  callMs: 10_000,
  /** Milliseconds for the body of a unary request to arrive. */
  unaryBodyMs: 30_000,
  /** Bytes of a request's headers. */
  headerBytes: 16 * 1024,
  /** Header fields of a request. */
  headerFields: 100,
  /** Streams (calls) at a time on one HTTP/2 connection. */
  streamsPerConnection: 256,
  /** Connections at a time on one port. */
  connections: 10_000,
  /** Milliseconds for the first bytes of a connection to arrive, and for the headers of an HTTP/1.1 request. */
  headersMs: 10_000,
  /** Milliseconds for the first call on a new HTTP/2 connection. */
  firstStreamMs: 30_000,
  /** Milliseconds that an HTTP/2 connection may be without a call. */
  idleConnectionMs: 5 * 60_000,
  /** Milliseconds that an HTTP/1.1 connection may wait for its next request; above the 60 s of common load balancers. */
  keepAliveMs: 65_000,
  /** Milliseconds without a byte moving while the peer owes us some: the rest of a request, or the taking of a response. */
  stallMs: 60_000,
  /** Milliseconds for the rest of a request's body once it has been answered. */
  lingerMs: 2_000,
  /** Milliseconds for clients to close their connections once the last call is answered, when the server closes. */
  farewellMs: 500,
} as const;
