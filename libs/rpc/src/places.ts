/** Where a member keeps its place. */
export const place = Symbol("place");

/** What may have a place among others of its kind. */
export type Placed = { [place]?: number | undefined };

/**
 * A set whose members know their place in it, so that one goes in and out in no time and without garbage. A `Set` of objects that come and go by the ten thousand each second makes a
 * new table every few hundred of them, which costs some per cent of a small call.
 */
export class Places<T extends Placed> {
  readonly #members: (T | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#members.length - this.#free.length;
  }

  add(member: T): void {
    const free = this.#free.pop() ?? this.#members.length;
    this.#members[free] = member;
    member[place] = free;
  }

  /** Does nothing to what has no place. */
  delete(member: T): void {
    const taken = member[place];
    if (taken !== undefined) {
      this.#members[taken] = undefined;
      this.#free.push(taken);
      member[place] = undefined;
      if (this.#free.length === this.#members.length) {
        this.#members.length = 0;
        this.#free.length = 0;
      }
    }
  }

  /** Members may leave meanwhile; those that come may or may not be visited. */
  *[Symbol.iterator](): Generator<T> {
    for (const member of this.#members) {
      if (member !== undefined) {
        yield member;
      }
    }
  }
}
