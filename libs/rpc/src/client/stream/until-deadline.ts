import { Code, ConnectError } from "@connectrpc/connect";
import { timedOut } from "../faults.ts";

/** The promise's result, within a call's time: rejects when the deadline (on the clock of `performance.now()`) is over or the signal aborts. */
export async function untilDeadline<T>(
  promise: Promise<T>,
  deadline: number | undefined,
  signal: AbortSignal | undefined,
): Promise<T> {
  const over = Promise.withResolvers<never>();
  const abort = () => over.reject(ConnectError.from(signal?.reason, Code.Canceled));
  const left = deadline === undefined ? Number.POSITIVE_INFINITY : deadline - performance.now();
  const timer = left < 2 ** 31 ? setTimeout(() => over.reject(timedOut()), Math.max(0, left)) : undefined;
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) {
    abort();
  }
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
