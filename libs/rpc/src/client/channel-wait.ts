import { Code, ConnectError } from "@connectrpc/connect";
import type { Picking } from "./channel.ts";

/** The promise's result, if it comes while the call still has time and its caller wants it. */
export async function withinCall<T>(promise: Promise<T>, { signal, deadline }: Picking): Promise<T> {
  const over = Promise.withResolvers<never>();
  const abort = () => over.reject(ConnectError.from(signal?.reason, Code.Canceled));
  const timer =
    deadline === undefined
      ? undefined
      : setTimeout(
          () => over.reject(new ConnectError("the operation timed out", Code.DeadlineExceeded)),
          Math.max(0, Math.min(deadline - performance.now(), 2 ** 31 - 1)),
        );
  signal?.addEventListener("abort", abort, { once: true });
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

// Milliseconds.
const shortestWait = 5;
const longestWait = 50;

/** Settles when the first of `promises` has, and then all the others or as much time again has passed, from 5 to 50 ms. None of them may reject. */
export async function firstFew(promises: readonly Promise<void>[]): Promise<void> {
  const started = performance.now();
  await Promise.race(promises);
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, Math.min(longestWait, Math.max(shortestWait, performance.now() - started)));
  await Promise.race([Promise.all(promises), over.promise]);
  clearTimeout(timer);
}
