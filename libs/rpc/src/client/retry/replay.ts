/** Messages that can be read again from the start, by one reader after another, for as long as nobody has read far. */
export type Replay<T> = {
  /** The messages from the start; the reader before must be done. */
  messages(): AsyncIterable<T>;
  /** Whether the start is still there. */
  possible(): boolean;
  /** Nobody will read again: the source hears of the last reader's end, now or when that comes. */
  settle(): void;
};

// One message and the end after it: all that a server-streaming call sends.
const kept = 2;

/** Keeps the first message of `source`, and what comes after it. */
export function createReplay<T>(source: AsyncIterable<T>): Replay<T> {
  const iterator = source[Symbol.asyncIterator]();
  const log: (Promise<IteratorResult<T>> | undefined)[] = [];
  let readFar = false;
  let settled = false;
  let left = false;

  function read(index: number): Promise<IteratorResult<T>> {
    if (index >= kept) {
      readFar = true;
      return iterator.next();
    }
    const result = log[index] ?? iterator.next();
    // Kept no longer than it may be needed.
    log[index] = settled ? undefined : result;
    return result;
  }

  return {
    messages: () => ({
      [Symbol.asyncIterator]() {
        let index = 0;
        left = false;
        return {
          next: () => read(index++),
          async return(value?: unknown) {
            left = true;
            return settled && iterator.return !== undefined ? iterator.return(value) : { done: true, value };
          },
          // Connect ends what it reads from by this when a call is cancelled.
          async throw(reason?: unknown) {
            left = true;
            return settled && iterator.throw !== undefined ? iterator.throw(reason) : Promise.reject(reason);
          },
        };
      },
    }),
    possible: () => !readFar,
    settle() {
      settled = true;
      if (left) {
        // Not awaited: a generator that waits for something else would keep us here.
        iterator.return?.().catch(() => {});
      }
    },
  };
}
