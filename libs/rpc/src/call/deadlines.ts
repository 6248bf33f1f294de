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

/**
 * One timer for all: nearly everything ends long before it must, and a timer each costs some per cent of a small call. It ticks only while there is
 * something to watch. An end may come 10 ms late: those who wait for it have clocks of their own.
 */
export function createDeadlines<T extends Expiring>(
  expire: (item: T) => void,
  now: () => number = () => performance.now(),
): Deadlines<T> {
  const watched = new Places<T>();
  let timer: NodeJS.Timeout | undefined;

  function tick(): void {
    if (watched.size === 0) {
      clearInterval(timer);
      timer = undefined;
      return;
    }
    const time = now();
    for (const item of watched) {
      if (item.expiresAt <= time) {
        watched.delete(item);
        expire(item);
      }
    }
  }

  return {
    watch(item) {
      watched.add(item);
      timer ??= setInterval(tick, tickMs);
    },
    forget: (item) => watched.delete(item),
  };
}
