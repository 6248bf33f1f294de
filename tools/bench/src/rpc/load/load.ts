/** What to ask a server for, again and again. */
export type Load = {
  port: number;
  path: string;
  body: Uint8Array;
  headers: Readonly<Record<string, string>>;
  http: "1.1" | "2";
  /** Calls under way at a time. */
  inFlight: number;
  calls: number;
};

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
