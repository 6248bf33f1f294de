/** Streams that were reset by us, whose frames may still be on their way. */
const remembered = 512;
/** Gaps between streams of which we know. */
const mostGaps = 8;

/** Which of a connection's streams there have been: a client opens them in the order of their odd numbers. */
export class StreamHistory {
  /** The last one that was opened. */
  last = 0;
  readonly #resetByUs = new Set<number>();
  /** Streams that were never opened and no longer can be. */
  #gaps: [first: number, last: number][] = [];

  /** A stream after the last one is opened. */
  open(id: number): void {
    if (id > this.last + 2) {
      this.#gaps = [...this.#gaps.slice(1 - mostGaps), [this.last + 2, id - 2]];
    }
    this.last = id;
  }

  /** Nobody has opened it so far. */
  isIdle(id: number): boolean {
    return id > this.last || (id & 1) === 0;
  }

  /** It was left out, as far as is known. */
  wasSkipped(id: number): boolean {
    return this.#gaps.some(([first, last]) => id >= first && id <= last);
  }

  /** We reset it; its client may not have heard of that yet. */
  reset(id: number): void {
    this.#resetByUs.add(id);
    if (this.#resetByUs.size > remembered) {
      for (const oldest of this.#resetByUs) {
        this.#resetByUs.delete(oldest);
        break;
      }
    }
  }

  wasReset(id: number): boolean {
    return this.#resetByUs.has(id);
  }
}
