import type { RawRequest } from "../requests.ts";

/** What to ask a server for, again and again, with `inFlight` calls under way at a time. */
export type Load = RawRequest & { port: number; inFlight: number; calls: number };

/** How it went. Durations in milliseconds; `dataBytes` are those of all response bodies. */
export type LoadResult = {
  calls: number;
  failed: number;
  seconds: number;
  p50: number;
  p99: number;
  dataBytes: number;
};

/** How calls under way are spread over connections: up to 32 on one HTTP/2 connection, one on an HTTP/1.1 connection. */
export function connectionsFor(http: Load["http"], inFlight: number): { connections: number; perConnection: number } {
  const perConnection = http === "1.1" ? 1 : Math.min(32, inFlight);
  return { connections: Math.ceil(inFlight / perConnection), perConnection };
}
