/** Work done one piece after the other, with a bounded number of pieces waiting. */
export type Lane = {
  /** Adds a piece of work; resolves when there is room for the next one. Rejects once any piece has failed, with its error. */
  add(work: () => Promise<void>): Promise<void>;
  /** Resolves when all work is done; rejects if any failed. */
  finish(): Promise<void>;
};

/** After a failure no further piece is begun. */
export function createLane(depth: number): Lane {
  let failure: { error: unknown } | undefined;
  let waiting = 0;
  let tail = Promise.resolve();
  let wake = () => {};

  const run = async (work: () => Promise<void>) => {
    try {
      if (!failure) await work();
    } catch (error) {
      failure ??= { error };
    } finally {
      waiting--;
      wake();
    }
  };
  return {
    async add(work) {
      waiting++;
      tail = tail.then(() => run(work));
      while (waiting >= depth && !failure) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (failure) throw failure.error;
    },
    async finish() {
      await tail;
      if (failure) throw failure.error;
    },
  };
}
