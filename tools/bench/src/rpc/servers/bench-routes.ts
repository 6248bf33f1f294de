import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectRouter } from "@connectrpc/connect";
import { BenchService } from "@kinora/proto-common/kinora/testing/v1/bench_service_pb.js";
import { user } from "../messages.ts";

/**
 * What a call costs its handler. "none": nothing. "pool": `ms` with one of `size` places, for which it waits in line, as for a database's connections.
 * "cpu": `ms` of the one core. "wait": `ms` of somebody else's time.
 */
export type Work =
  | { kind: "none" }
  | { kind: "pool"; size: number; ms: number }
  | { kind: "cpu"; ms: number }
  | { kind: "wait"; ms: number };

/** The service of the benchmarks for connect-es: stock's server and ours register the same handlers. */
export function benchRoutes(work: Work = { kind: "none" }): (router: ConnectRouter) => void {
  const spend = spender(work);
  return (router) => {
    router.service(BenchService, {
      getUser:
        spend === undefined
          ? ({ payload }) => ({ ...user, payload })
          : async ({ payload }, { signal }) => {
              await spend(signal);
              return { ...user, payload };
            },
      renameUser:
        spend === undefined
          ? ({ name }) => ({ name })
          : async ({ name }, { signal }) => {
              await spend(signal);
              return { name };
            },
      async *watchUser({ count, bytes }) {
        const payload = new Uint8Array(bytes).fill(7);
        for (let sent = 0; sent < count; sent++) {
          yield { payload };
        }
      },
    });
  };
}

function spender(work: Work): ((signal: AbortSignal) => Promise<void>) | undefined {
  switch (work.kind) {
    case "none":
      return undefined;
    case "wait":
      return (signal) => sleep(work.ms, undefined, { signal });
    case "cpu":
      return async () => {
        const until = performance.now() + work.ms;
        while (performance.now() < until) {
          // Busy: that is the point.
        }
      };
    case "pool":
      return pool(work.size, work.ms);
  }
}

/** Places that are handed on in the order of asking; who leaves the line gives up its turn. */
function pool(size: number, ms: number): (signal: AbortSignal) => Promise<void> {
  let free = size;
  const waiting = new Set<() => void>();
  return async (signal) => {
    signal.throwIfAborted();
    if (free > 0) {
      free--;
    } else {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const leave = () => {
        waiting.delete(resolve);
        reject(signal.reason);
      };
      waiting.add(resolve);
      signal.addEventListener("abort", leave, { once: true });
      await promise;
      signal.removeEventListener("abort", leave);
    }
    await sleep(ms);
    const [next] = waiting;
    if (next === undefined) {
      free++;
    } else {
      waiting.delete(next);
      next();
    }
  };
}
