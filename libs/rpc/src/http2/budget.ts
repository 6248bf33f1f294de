/** How much of something a peer may do: so much at once, and so much per second in the long run. */
export type BudgetSize = { burst: number; perSecond: number };

/** A token bucket. */
export class Budget {
  readonly #size: BudgetSize;
  #left: number;
  #filledAt: number;

  constructor(size: BudgetSize, now: number) {
    this.#size = size;
    this.#left = size.burst;
    this.#filledAt = now;
  }

  /** Whether it may be done once more. `now` in milliseconds. */
  spend(now: number): boolean {
    if (this.#left < 1) {
      const { burst, perSecond } = this.#size;
      this.#left = Math.min(burst, this.#left + ((now - this.#filledAt) * perSecond) / 1000);
      this.#filledAt = now;
    }
    if (this.#left < 1) {
      return false;
    }
    this.#left--;
    return true;
  }
}
