import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import { createNodeHttpClient } from "@connectrpc/connect-node";
import { type Address, authorityOf } from "./endpoint/address.ts";
import type { TlsOptions } from "./endpoint/dial.ts";
import type { Endpoint, EndpointOptions } from "./endpoint/endpoint.ts";
import { lost, unreachable } from "./faults.ts";

/** Makes requests over HTTP/1.1, whose connections are kept for later ones. */
export type Http1Client = {
  request: UniversalClientFn;
  /** Ends its connections: calls under way fail as `unavailable`, and so do later ones. */
  close(): void;
};

/** An endpoint whose calls all go over HTTP/1.1, as requests of Connect's own transports. It connects with each request, so there is no state to tell. */
export function createHttp1Endpoint(options: EndpointOptions): Endpoint {
  const { address, tls } = options;
  const url = `${tls === undefined ? "http" : "https"}://${authorityOf(address)}`;
  const client = createHttp1Client(address, url, tls);
  let inFlight = 0;
  let draining = false;
  const left = () => {
    inFlight--;
    if (draining && inFlight === 0) {
      client.close();
    }
  };
  return {
    address,
    url,
    state: "ready",
    connect: async () => {},
    get inFlight() {
      return inFlight;
    },
    unary: () => Promise.reject(new ConnectError("unary calls over HTTP/1.1 are requests", Code.Internal)),
    request(call) {
      inFlight++;
      return client.request(call).finally(left);
    },
    drain() {
      draining = true;
      if (inFlight === 0) {
        client.close();
      }
    },
    close: () => client.close(),
  };
}

/** For servers that are reached only by HTTP/1.1. There is nothing fast about it: it is Connect's own client. */
export function createHttp1Client(address: Address, url: string, tls?: TlsOptions): Http1Client {
  const { serverName, ...secrets } = tls ?? {};
  const options = { keepAlive: true, ...("path" in address ? { socketPath: address.path } : {}) };
  const agent =
    tls === undefined
      ? new HttpAgent(options)
      : new HttpsAgent({ ...options, ...secrets, ...(serverName === undefined ? {} : { servername: serverName }) });
  const request = createNodeHttpClient({ httpVersion: "1.1", nodeOptions: { agent } });
  let closed = false;
  return {
    async request(call) {
      if (closed) {
        throw new ConnectError(`can't reach ${url}: this transport is closed`, Code.Unavailable);
      }
      try {
        const response = await request(call);
        return { ...response, body: readBody(response.body, url) };
      } catch (error) {
        throw truthful(error, url);
      }
    },
    close() {
      closed = true;
      agent.destroy();
    },
  };
}

/** The chunks, with truthful errors. Not a generator: one that hasn't begun wouldn't tell the connection when its reader gives up. */
function readBody(chunks: AsyncIterable<Uint8Array>, url: string): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const inner = chunks[Symbol.asyncIterator]();
      const iterator: AsyncIterator<Uint8Array> = {
        next: () => inner.next().catch((error) => Promise.reject(truthful(error, url))),
      };
      if (inner.throw !== undefined) {
        iterator.throw = (reason) => inner.throw?.(reason) ?? Promise.reject(reason);
      }
      return iterator;
    },
  };
}

/** Connect calls a connection that broke `aborted`, and has no words for one that couldn't be made. */
function truthful(error: unknown, url: string): unknown {
  const cause = error instanceof ConnectError ? error.cause : undefined;
  if (
    cause instanceof Error &&
    "syscall" in cause &&
    (cause.syscall === "connect" || cause.syscall === "getaddrinfo")
  ) {
    return unreachable(url, cause);
  }
  return cause instanceof Error && "code" in cause && cause.code === "ECONNRESET" ? lost(url, cause) : error;
}
