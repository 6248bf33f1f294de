/** What a server and a client accept at most, so that nobody can make them hold or wait for more. */
export type Limits = {
  /** Bytes of one message that comes in, after decompression. */
  messageBytes: number;
  /** Bytes of one message that goes out, before compression. */
  sentMessageBytes: number;
  /** Milliseconds that a unary call may take, on either side, where nobody says otherwise; Infinity for as long as it likes. */
  callMs: number;
  /** Milliseconds for the body of a unary request to arrive. */
  unaryBodyMs: number;
  /** Bytes of a request's headers. */
  headerBytes: number;
  /** Header fields of a request. */
  headerFields: number;
  /** Streams (calls) at a time on one HTTP/2 connection. */
  streamsPerConnection: number;
  /** Bytes of a request's body on one HTTP/2 stream that may arrive before they are read. */
  streamWindowBytes: number;
  /** Bytes of bodies on all streams of one HTTP/2 connection that may be under way at once. */
  connectionWindowBytes: number;
  /** Megabytes that one HTTP/2 connection may hold of answers not yet taken, above which its new streams are refused. */
  connectionMegabytes: number;
  /** Connections at a time on one port. */
  connections: number;
  /** Milliseconds for the first bytes of a connection to arrive, and for the headers of an HTTP/1.1 request. */
  headersMs: number;
  /** Milliseconds for the first call on a new HTTP/2 connection. */
  firstStreamMs: number;
  /** Milliseconds that an HTTP/2 connection may be without a call. */
  idleConnectionMs: number;
  /** Milliseconds that a connection may live, give or take a tenth, so that clients spread over new servers. */
  connectionAgeMs: number;
  /** Milliseconds for the streams of a connection that has reached its age to finish. */
  connectionAgeGraceMs: number;
  /** Milliseconds that an HTTP/1.1 connection may wait for its next request; above the 60 s of common load balancers. */
  keepAliveMs: number;
  /** Milliseconds without a byte moving while the peer owes us some: the rest of a request, or the taking of a response. */
  stallMs: number;
  /** Milliseconds for the rest of a request's body once it has been answered. */
  lingerMs: number;
  /** Milliseconds for a client to learn that the server closes, in which its new calls are still taken. */
  goAwayMs: number;
  /** Milliseconds for clients to close their connections once the last call is answered, when the server closes. */
  farewellMs: number;
};

/** What applies where nobody says otherwise. */
export const defaultLimits: Limits = {
  messageBytes: 4 * 1024 * 1024,
  sentMessageBytes: 4 * 1024 * 1024,
  callMs: 10_000,
  unaryBodyMs: 30_000,
  headerBytes: 16 * 1024,
  headerFields: 100,
  streamsPerConnection: 256,
  streamWindowBytes: 256 * 1024,
  connectionWindowBytes: 1024 * 1024,
  connectionMegabytes: 64,
  connections: 10_000,
  headersMs: 10_000,
  firstStreamMs: 30_000,
  idleConnectionMs: 5 * 60_000,
  connectionAgeMs: 30 * 60_000,
  connectionAgeGraceMs: 5 * 60_000,
  keepAliveMs: 65_000,
  stallMs: 60_000,
  lingerMs: 2_000,
  goAwayMs: 100,
  farewellMs: 300,
};
