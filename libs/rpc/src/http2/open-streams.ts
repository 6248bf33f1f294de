/**
 * The streams of a connection that are open, by their numbers: a hash table with linear probing.
 *
 * A `Map` whose entries come and go makes a new table every few dozen of them, and V8 lets the old one refer to the new. Once an old one is in the old generation, dead or not, all that follow
 * get there too, each with the calls that were under way: hundreds of bytes for every call, until the next full collection.
 */
export class OpenStreams<T extends { readonly id: number }> {
  // A power of two, at most half of it taken. Numbers that follow each other are neighbours.
  #slots: (T | undefined)[] = empty(8);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): T | undefined {
    return this.#slots[this.#find(id)];
  }

  /** A stream whose number isn't there yet. */
  add(stream: T): void {
    this.#size++;
    if (2 * this.#size > this.#slots.length) {
      const before = this.#slots;
      this.#slots = empty(2 * before.length);
      for (const each of before) {
        if (each !== undefined) {
          this.#slots[this.#find(each.id)] = each;
        }
      }
    }
    this.#slots[this.#find(stream.id)] = stream;
  }

  /** Does nothing if it isn't there. */
  delete(id: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let gap = this.#find(id);
    if (slots[gap] === undefined) {
      return;
    }
    this.#size--;
    // Those behind it that wanted to be further in front move up, so that no search ends at the gap.
    for (let at = (gap + 1) & mask; ; at = (at + 1) & mask) {
      const stream = slots[at];
      if (stream === undefined) {
        break;
      }
      if (((at - (stream.id >> 1)) & mask) >= ((at - gap) & mask)) {
        slots[gap] = stream;
        gap = at;
      }
    }
    slots[gap] = undefined;
  }

  /** All of them, as they are now, in no order. */
  all(): T[] {
    return this.#slots.filter((stream) => stream !== undefined);
  }

  /** Where it is, or would be. */
  #find(id: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = (id >> 1) & mask;
    for (let stream = slots[at]; stream !== undefined && stream.id !== id; stream = slots[at]) {
      at = (at + 1) & mask;
    }
    return at;
  }
}

function empty(length: number): undefined[] {
  return new Array(length).fill(undefined);
}
