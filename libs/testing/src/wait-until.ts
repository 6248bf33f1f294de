/** Repeats `probe` until it returns something other than `undefined` or `false`; throws with `what` after `timeoutMs`. */
export async function waitUntil<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 60_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`Waited ${timeoutMs / 1000} s in vain: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Waits until a server's `/readyz` says that it takes calls. */
export async function waitUntilReady(url: string, timeoutMs = 60_000): Promise<void> {
  await waitUntil(
    `${url}/readyz answers 200`,
    () =>
      fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
        (response) => response.ok,
        () => false,
      ),
    timeoutMs,
  );
}
