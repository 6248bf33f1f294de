import { MethodOptions_IdempotencyLevel as Level } from "@bufbuild/protobuf/wkt";
import { idempotencyKeyHeader } from "../../idempotency/idempotency-key.ts";
import type { Channel } from "../channel.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import { createMethodLatency, type MethodLatency } from "../method-latency.ts";
import type { Attempt, UnaryCallInfo } from "../unary/unary-call.ts";
import type { UnaryMethod } from "../unary/unary-protocol.ts";
import type { Budget } from "./budget.ts";
import { outcomeOf } from "./outcome.ts";

/** Goes on after an attempt that failed. */
export type Again = <T>(attempt: Attempt<T>, call: UnaryCallInfo, at: Endpoint, error: unknown) => Promise<T>;

/** Makes attempts, and tells channel and budget how they go. */
export type Attempts = {
  /** Whether the call may run twice: its method's contract says so, or it has a key by which the server knows it again. */
  mayRunTwice(call: UnaryCallInfo): boolean;
  /** The only attempt of most calls; `again` decides what follows if it fails. */
  first<T>(endpoint: Endpoint, attempt: Attempt<T>, call: UnaryCallInfo, again: Again): Promise<T>;
  /** One of several attempts, after `previous` others that a server may have seen; `signal` ends it. */
  later<T>(
    endpoint: Endpoint,
    attempt: Attempt<T>,
    call: UnaryCallInfo,
    previous: number,
    signal?: AbortSignal,
  ): Promise<T>;
};

type Method = { idempotent: boolean; latency: MethodLatency };

/** Attempts over a channel; `budget` earns from each that goes well. */
export function createAttempts(channel: Channel, budget: Budget): Attempts {
  const methods = new Map<UnaryMethod, Method>();

  function methodOf(desc: UnaryMethod): Method {
    let method = methods.get(desc);
    if (method === undefined) {
      const idempotent = desc.idempotency === Level.NO_SIDE_EFFECTS || desc.idempotency === Level.IDEMPOTENT;
      method = { idempotent, latency: createMethodLatency() };
      methods.set(desc, method);
    }
    return method;
  }

  function answered(endpoint: Endpoint, call: UnaryCallInfo, started: number): void {
    budget.earn();
    if (channel.balanced) {
      channel.report(endpoint, methodOf(call.method).latency.relative(performance.now() - started), "ok");
    }
  }

  function notAnswered(endpoint: Endpoint, call: UnaryCallInfo, started: number, error: unknown): void {
    if (channel.balanced) {
      const { latency } = methodOf(call.method);
      const outcome = outcomeOf(error);
      const ms = performance.now() - started;
      channel.report(endpoint, outcome === "ok" ? latency.relative(ms) : latency.compare(ms), outcome);
    }
  }

  function first<T>(endpoint: Endpoint, attempt: Attempt<T>, call: UnaryCallInfo, again: Again): Promise<T> {
    const started = channel.balanced ? performance.now() : 0;
    return attempt(endpoint, undefined, {
      answered: () => answered(endpoint, call, started),
      failed(error) {
        notAnswered(endpoint, call, started, error);
        return again(attempt, call, endpoint, error);
      },
    });
  }

  async function later<T>(
    endpoint: Endpoint,
    attempt: Attempt<T>,
    call: UnaryCallInfo,
    previous: number,
    signal?: AbortSignal,
  ): Promise<T> {
    const started = performance.now();
    try {
      const value = await attempt(endpoint, {
        ...(previous > 0 ? { headers: ["grpc-previous-rpc-attempts", String(previous)] } : {}),
        ...(signal === undefined ? {} : { signal }),
      });
      answered(endpoint, call, started);
      return value;
    } catch (error) {
      notAnswered(endpoint, call, started, error);
      throw error;
    }
  }

  return {
    mayRunTwice: ({ method, headers }) => methodOf(method).idempotent || has(headers, idempotencyKeyHeader),
    first,
    later,
  };
}

function has(headers: readonly string[] | Headers, name: string): boolean {
  return headers instanceof Headers ? headers.has(name) : headers.some((item, i) => i % 2 === 0 && item === name);
}
