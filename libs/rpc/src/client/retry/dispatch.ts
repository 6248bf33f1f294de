import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Channel } from "../channel.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import type { Attempt, Dispatch, UnaryCallInfo } from "../unary/unary-call.ts";
import type { UnaryMethod } from "../unary/unary-protocol.ts";
import { createAttempts } from "./attempts.ts";
import { type Budget, createBudget } from "./budget.ts";
import { type Hedging, hedgingKey, type Retry, retryKey } from "./call-options.ts";
import { type HedgeVerdict, hedge } from "./hedge.ts";
import { outcomeOf } from "./outcome.ts";
import { readPushback } from "./pushback.ts";
import { decideRetry, type FailedAttempt, retrySettings } from "./retry-decision.ts";

/** What a transport's calls have in common. */
export type DispatchOptions = {
  channel: Channel;
  /** `false`: none but of what no server has seen. */
  retry?: Retry | false;
  /** For all methods that may run twice. */
  hedging?: Hedging;
  budget?: Budget;
  random?: () => number;
};

/**
 * Brings calls to endpoints: balanced, tried again where that is right, hedged where that is asked for, under one budget. A call that goes well at its first attempt costs nothing more than
 * the choice of its endpoint.
 */
export function createDispatch({ channel, retry, hedging, ...options }: DispatchOptions): Dispatch {
  const { budget = createBudget(), random = Math.random } = options;
  const settings = settingsOf(retry);
  const attempts = createAttempts(channel, budget);

  /** Goes on after a first attempt that failed. */
  async function again<T>(attempt: Attempt<T>, call: UnaryCallInfo, at: Endpoint, error: unknown): Promise<T> {
    const own = call.values?.get(retryKey);
    const limits = own === undefined ? settings : settingsOf(own);
    const idempotent = attempts.mayRunTwice(call);
    const tried = new Set([at]);
    let last = error;
    let seenAttempts = 0;
    let unseenAttempts = 0;
    for (;;) {
      const failed = describe(last);
      if (failed.unseen) {
        unseenAttempts++;
      } else {
        seenAttempts++;
      }
      const otherEndpoint = channel.hasOther(tried);
      const counts = { idempotent, seenAttempts, unseenAttempts, otherEndpoint, remainingMs: remainingMs(call) };
      const decision = call.signal?.aborted ? undefined : decideRetry({ ...failed, ...counts }, random, limits);
      if (decision === undefined || (decision.pays && !budget.spend())) {
        throw last;
      }
      if (decision.waitMs > 0) {
        await pause(decision.waitMs, call.signal, channel.closed);
      }
      let endpoint: Endpoint;
      try {
        endpoint = await channel.pick(call, tried);
      } catch (reason) {
        // What failed says more than that there is nothing to go on with.
        throw call.signal?.aborted ? reason : last;
      }
      tried.add(endpoint);
      try {
        return await attempts.later(endpoint, attempt, call, seenAttempts);
      } catch (next) {
        last = next;
      }
    }
  }

  function hedged<T>(attempt: Attempt<T>, call: UnaryCallInfo, how: Hedging): Promise<T> {
    const tried = new Set<Endpoint>();
    let unseenAttempts = 0;
    return hedge({
      hedging: how,
      budget,
      signal: call.signal,
      stop: channel.closed,
      async attempt(number, signal) {
        const picked = channel.pick({ signal, deadline: call.deadline }, tried);
        const endpoint = picked instanceof Promise ? await picked : picked;
        tried.add(endpoint);
        return attempts.later(endpoint, attempt, call, number, signal);
      },
      judge(error): HedgeVerdict {
        const { unseen, code, pushback } = describe(error);
        if (unseen && ++unseenAttempts < settings.unseenAttempts) {
          return "again";
        }
        if (code !== Code.Unavailable) {
          return "fatal";
        }
        if (pushback === undefined) {
          return "next";
        }
        return pushback === false || pushback.waitMs >= remainingMs(call) ? "last" : pushback.waitMs;
      },
    });
  }

  return (attempt, call) => {
    const asked = call.values?.get(hedgingKey);
    const how = asked ?? hedging;
    if (how !== undefined && how !== false) {
      if (attempts.mayRunTwice(call)) {
        return hedged(attempt, call, how);
      }
      if (asked !== undefined) {
        return Promise.reject(cannotHedge(call.method));
      }
    }
    const endpoint = channel.pick(call);
    return endpoint instanceof Promise
      ? endpoint.then((picked) => attempts.first(picked, attempt, call, again))
      : attempts.first(endpoint, attempt, call, again);
  };
}

function remainingMs({ deadline }: UnaryCallInfo): number {
  return deadline === undefined ? Number.POSITIVE_INFINITY : deadline - performance.now();
}

function settingsOf(retry: Retry | false | undefined): typeof retrySettings {
  return retry === false ? { ...retrySettings, attempts: 1 } : { ...retrySettings, ...retry };
}

function describe(error: unknown): Pick<FailedAttempt, "code" | "unseen" | "pushback"> {
  return {
    code: error instanceof ConnectError ? error.code : Code.Unknown,
    unseen: outcomeOf(error) === "unseen",
    pushback: error instanceof ConnectError ? readPushback(error.metadata, Date.now()) : undefined,
  };
}

/** Waits; not any longer than until `stop` aborts. Rejects when `signal` does. */
async function pause(ms: number, signal: AbortSignal | undefined, stop: AbortSignal): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  signal?.addEventListener("abort", end);
  stop.addEventListener("abort", end);
  try {
    await sleep(ms, undefined, { signal: over.signal });
  } catch {
    if (signal?.aborted) {
      throw ConnectError.from(signal.reason, Code.Canceled);
    }
  } finally {
    signal?.removeEventListener("abort", end);
    stop.removeEventListener("abort", end);
  }
}

function cannotHedge(method: UnaryMethod): ConnectError {
  const name = `${method.parent.typeName}.${method.name}`;
  const message = `${name} can't be hedged: neither does its contract say that it may run twice ("option idempotency_level = …;"), nor has the call an idempotency key`;
  return new ConnectError(message, Code.InvalidArgument);
}
