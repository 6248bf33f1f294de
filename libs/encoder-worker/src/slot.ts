/** A place for one piece of work after the other, in which the next one begins while the last one still drains: otherwise a machine's cores would rest wherever an encoder gives out its last pictures, or files are brought away. */
export type Slot = {
  /**
   * Begins work; resolves once there is room for the next piece: when this one says that it drains and the one before has ended, or when it has ended.
   * So there are never more than two, of which one drains. Rejects if the work fails before.
   */
  begin(work: (draining: () => void) => Promise<void>): Promise<void>;
  /** Resolves when all work has ended; rejects with the first error that `begin` hasn't told of. */
  idle(): Promise<void>;
};

export function createSlot(): Slot {
  let before = Promise.resolve();
  return {
    async begin(work) {
      const drains = Promise.withResolvers<void>();
      const previous = before;
      const ended = work(drains.resolve);
      before = ended;
      // Whoever waits for it hears of it.
      ended.catch(() => {});
      try {
        await Promise.race([drains.promise, ended]);
      } catch (error) {
        before = previous;
        throw error;
      }
      await previous;
    },
    idle: () => before,
  };
}
