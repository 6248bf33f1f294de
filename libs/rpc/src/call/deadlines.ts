import { type Placed, Places } from "../places.ts";

/** What must end at some time. */
export type Expiring = Placed & {
  /** On the clock of `performance.now()`. */
  expiresAt: number;
};

/** Watches over things that must end in time. */
export type Deadlines<T extends Expiring> = {
  /** `expire` is called once `item.expiresAt`, which may change, has passed by. */
  watch(item: T): void;
  /** Does nothing to what isn't watched. */
  forget(item: T): void;
};

/** How late an end may be, in milliseconds. */
const tickMs = 10;

/** The longest pause between two looks: so much longer than the last call may a process live that has nothing else to do. */
const longestMs = 250;

/**
 * One timer for all: nearly everything ends long before it must, and a timer each costs some per cent of a small call. It waits for the end that comes first, as far as is known, since a process that
 * has one slow call in hand, and computes for it, shouldn't be woken a hundred times a second. An end may come 10 ms late: those who wait for it have clocks of their own. `expiresAt` may be put off
 * while an item is watched, but not brought forward.
 */
export function createDeadlines<T extends Expiring>(
  expire: (item: T) => void,
  now: () => number = () => performance.now(),
): Deadlines<T> {
  const watched = new Places<T>();
  let timer: NodeJS.Timeout | undefined;
  /** When it looks next; never, if nothing is watched. */
  let due = Number.POSITIVE_INFINITY;

  function lookBy(time: number): void {
    if (time >= due - tickMs) return;
    clearTimeout(timer);
    const ms = Math.min(Math.max(time - now(), tickMs), longestMs);
    due = now() + ms;
    timer = setTimeout(look, ms);
  }

  function look(): void {
    due = Number.POSITIVE_INFINITY;
    const time = now();
    let first = Number.POSITIVE_INFINITY;
    for (const item of watched) {
      if (item.expiresAt <= time) {
        watched.delete(item);
        expire(item);
      } else if (item.expiresAt < first) {
        first = item.expiresAt;
      }
    }
    lookBy(first);
  }

  return {
    watch(item) {
      watched.add(item);
      lookBy(item.expiresAt);
    },
    forget: (item) => watched.delete(item),
  };
}
