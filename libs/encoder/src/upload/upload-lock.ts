import { TusError } from "./tus-error.ts";

/** What @tus/server asks of a locker. `requestRelease` asks the holder to let go; `lock` throws an error response when it doesn't in time. */
export type UploadLocker = {
  newLock(id: string): {
    lock(signal: AbortSignal, requestRelease: () => void | Promise<void>): Promise<void>;
    unlock(): Promise<void>;
  };
};

type Holder = { requestRelease: () => void | Promise<void>; released: Promise<void>; release(): void };

/**
 * One request at a time for each upload. A newcomer asks the holder to let go: usually that is a broken connection which this server hasn't noticed. (The
 * locker that comes with @tus/server keeps a CPU busy while it waits.)
 */
export function createUploadLocker(timeoutMs: number): UploadLocker {
  const holders = new Map<string, Holder>();
  return {
    newLock: (id) => ({
      async lock(signal, requestRelease) {
        const end = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
        for (let holder = holders.get(id); holder !== undefined; holder = holders.get(id)) {
          await holder.requestRelease();
          if (!(await settlesBefore(holder.released, end))) {
            throw new TusError(423, "Another request is sending bytes of this upload. Try again.");
          }
        }
        const { promise: released, resolve } = Promise.withResolvers<void>();
        holders.set(id, { requestRelease, released, release: resolve });
      },
      async unlock() {
        const holder = holders.get(id);
        holders.delete(id);
        holder?.release();
      },
    }),
  };
}

/** Whether the promise settles before the signal aborts. */
function settlesBefore(promise: Promise<void>, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const giveUp = () => resolve(false);
    signal.addEventListener("abort", giveUp, { once: true });
    promise.then(() => {
      signal.removeEventListener("abort", giveUp);
      resolve(true);
    });
  });
}
