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
  let begun = 0;
  let announced = false;

  function begin(): void {
    announced = false;
    begun = performance.now();
  }

  function run<A>(action: (argument: A) => void, argument: A): void {
    if (performance.now() - begun > sliceMs) {
      defer(action, argument);
    } else {
      action(argument);
    }
  }

  function defer<A>(action: (argument: A) => void, argument: A): void {
    if (!announced) {
      announced = true;
      setImmediate(begin);
    }
    // One each, not a list: Node does all that follows from one before it goes on to the next, so the time that it took shows.
    setImmediate(run<A>, action, argument);
  }

  return { defer };
}
