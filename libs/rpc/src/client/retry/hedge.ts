import { Code, ConnectError } from "@connectrpc/connect";
import type { Budget } from "./budget.ts";
import type { Hedging } from "./call-options.ts";

/**
 * What a failed attempt means. `fatal`: the call has failed. `again`: it doesn't count, try once more at once. `next`: the next attempt comes at once. `last`: those under way were the last. A
 * number: the next attempt comes in so many milliseconds.
 */
export type HedgeVerdict = "fatal" | "again" | "next" | "last" | number;

/** What a hedged call needs. */
export type HedgeOptions<T> = {
  hedging: Hedging;
  budget: Budget;
  signal: AbortSignal | undefined;
  /** When this aborts, no more attempts start. */
  stop: AbortSignal;
  /** Makes attempt `n`, from 0, and ends it when the signal aborts. */
  attempt(n: number, signal: AbortSignal): Promise<T>;
  judge(error: unknown): HedgeVerdict;
};

/**
 * Makes the same call several times, each `delayMs` after the one before or as soon as one fails; the first answer wins and the other attempts are cancelled. After the hedging policy of
 * gRFC A6 (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#hedging-policy). Attempts but the first are on the budget of retries.
 */
export function hedge<T>({ hedging, budget, signal, stop, attempt, judge }: HedgeOptions<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const running = new Set<AbortController>();
  let number = 0;
  let left = hedging.attempts;
  let timer: NodeJS.Timeout | undefined;
  let lastError: unknown;
  let settled = false;

  const abort = () => settle(() => reject(ConnectError.from(signal?.reason, Code.Canceled)));

  function settle(end: () => void): void {
    if (settled) {
      return;
    }
    settled = true;
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    stop.removeEventListener("abort", startNoMore);
    end();
    for (const controller of running) {
      controller.abort(new ConnectError("another attempt was quicker", Code.Canceled));
    }
  }

  function start(): void {
    const controller = new AbortController();
    running.add(controller);
    left--;
    startIn(hedging.delayMs);
    attempt(number++, controller.signal).then(
      (value) => {
        running.delete(controller);
        settle(() => resolve(value));
      },
      (error: unknown) => {
        running.delete(controller);
        if (!settled) {
          failed(error);
        }
      },
    );
  }

  function startIn(ms: number): void {
    clearTimeout(timer);
    if (left > 0) {
      timer = setTimeout(startNext, ms);
    }
  }

  function startNext(): void {
    if (left > 0 && budget.spend()) {
      start();
    } else {
      startNoMore();
    }
  }

  function startNoMore(): void {
    left = 0;
    clearTimeout(timer);
    if (running.size === 0) {
      settle(() => reject(lastError));
    }
  }

  function failed(error: unknown): void {
    lastError = error;
    const verdict = judge(error);
    if (verdict === "fatal") {
      settle(() => reject(error));
    } else if (verdict === "again") {
      left++;
      start();
    } else if (verdict === "next") {
      startNext();
    } else if (verdict === "last" || left === 0) {
      startNoMore();
    } else {
      startIn(verdict);
    }
  }

  if (signal?.aborted) {
    abort();
  } else {
    signal?.addEventListener("abort", abort);
    stop.addEventListener("abort", startNoMore);
    start();
  }
  return promise;
}
