/** Turns of the event loop, in which handlers start once everything that has arrived with their calls has been looked at. */
export type Turns = {
  /** Runs `action(argument)` in this turn of the event loop, after its reads; in a later one if those before it take long. In order. */
  defer<A>(action: (argument: A) => void, argument: A): void;
};

/**
 * A handler that computes for milliseconds must not start while other calls lie unread in the buffer that its own came in: nobody could tell that they wait,
 * and no answer would go out before the last of them is done. So handlers start once the event loop has read everything, and when they have had
 * `sliceMs`, the loop reads and writes before the next one starts.
 */
export function createTurns(sliceMs = 1): Turns {
  // Actions and their arguments in turn, from `next` on. One list for all that wait: an immediate for each costs more than Protobuf does.
  let waiting: unknown[] = [];
  let next = 0;
  let announced = false;
  let begun = 0;

  function begin(): void {
    begun = performance.now();
    waiting = waiting.slice(next);
    next = 0;
    step();
  }

  function step(): void {
    if (performance.now() - begun > sliceMs) {
      setImmediate(begin);
      return;
    }
    const action = waiting[next];
    const argument = waiting[next + 1];
    next += 2;
    const more = next < waiting.length;
    if (!more) {
      waiting = [];
      next = 0;
      announced = false;
    }
    try {
      if (typeof action === "function") {
        action(argument);
      }
    } finally {
      if (more) {
        // After what follows from this one at once, so that the time which that takes shows.
        settled.then(step);
      }
    }
  }

  return {
    defer(action, argument) {
      waiting.push(action, argument);
      if (!announced) {
        announced = true;
        setImmediate(begin);
      }
    },
  };
}

const settled = Promise.resolve();
