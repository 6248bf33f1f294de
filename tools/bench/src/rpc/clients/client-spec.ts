import type { ServerSpec } from "../servers/server-spec.ts";

/** A method of the benchmark's service. */
export type MethodName = "getUser" | "renameUser" | "watchUser";

/** A client to run in a process of its own. `target` is the server's address, such as http://127.0.0.1:8080; for ours whatever its transport takes. */
export type ClientSpec = {
  kind: "kinora" | "kinora-connect" | "grpc-js" | "connect-node" | "connect-node-connect";
  target: string;
  payloadBytes: number;
  /** Messages that a stream is asked for. */
  streamed?: number;
  /** The credential of its calls (ours only). */
  token?: string;
};

/** A client that knows no contract: it sends one request again and again. `body` is in base64. */
export type RawSpec = {
  kind: "raw-http1" | "raw-http2" | "http2-frames";
  target: string;
  path: string;
  body: string;
  headers: Readonly<Record<string, string>>;
  /** How many connections the calls are spread over; HTTP/1.1 has one for each call under way. */
  connections: number;
};

/** Our client and the service it calls in one process, with no network between. */
export type InMemorySpec = {
  kind: "in-memory";
  payloadBytes: number;
  around: Extract<ServerSpec, { kind: "kinora" }>["around"];
};

/** How much to call. */
export type RunRequest = { method: MethodName; inFlight: number } & ({ calls: number } | { milliseconds: number });

/** How it went. Durations in milliseconds. `faults` counts the calls that failed, by what was wrong. */
export type RunResult = {
  calls: number;
  failed: number;
  faults: Record<string, number>;
  seconds: number;
  cpuMicros: number;
  p50: number;
  p99: number;
  rssBytes: number;
  /** Bytes of all response bodies, where the client knows them. */
  dataBytes: number;
};

/** Load that doesn't wait for answers. What happens counts after `settleMs`, for `milliseconds`; answers count that come within `patienceMs`. */
export type OfferRequest = {
  method: MethodName;
  perSecond: number;
  settleMs: number;
  milliseconds: number;
  patienceMs: number;
};

/** How that went: calls begun and calls answered well, a second; how long the latter took (milliseconds); what was wrong with the others. */
export type OfferResult = {
  offeredPerSecond: number;
  goodPerSecond: number;
  faults: Record<string, number>;
  p50: number;
  p99: number;
};
