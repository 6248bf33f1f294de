import type { IncomingHttpHeaders } from "node:http2";
import type { ConnectError } from "@connectrpc/connect";

/** A request that is whole, for a reply that is read as a whole. */
export type UnaryExchange = {
  /** Name, value, name, value; pseudo-headers included. */
  headers: readonly string[];
  body: Uint8Array;
  /** Bytes of the longest body that is taken. A longer one ends the exchange as `resource_exhausted`. */
  maxBytes: number;
  /** When it must be over, on the clock of `performance.now()`. */
  deadline: number | undefined;
  signal: AbortSignal | undefined;
  /** Says why the body isn't wanted, once the headers are here. */
  refuse?: (status: number, headers: IncomingHttpHeaders) => ConnectError | undefined;
};

/** What came back. A body may still be cut short: only the protocol can tell. */
export type UnaryReply = {
  status: number;
  headers: IncomingHttpHeaders;
  body: Uint8Array;
  trailers: IncomingHttpHeaders | undefined;
};
