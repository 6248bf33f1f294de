/** The promise's result, or a rejection with the signal's reason once that aborts. What the promise does later is ignored. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: result, resolve, reject } = Promise.withResolvers<T>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) {
    abort();
  } else {
    signal.addEventListener("abort", abort, { once: true });
  }
  promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  return result;
}
