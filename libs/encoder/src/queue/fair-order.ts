/**
 * Who comes next, by start-time fair queueing (Goyal, Vin and Cheng, 1996): each task starts where the person's task before it ends, on a clock that counts work. Somebody
 * with a thousand chunks and somebody with ten so take turns, and whoever comes late starts where the clock has got to. A task's place is decided when
 * it is queued, so that the queue itself only has to sort.
 */
export type FairShare = {
  /** Where the person's last task ends. */
  finish: number;
};

/** A place in the queue: higher ones are first. */
export type Place = number;

/** Places of each priority; beyond them (after many years of work) tasks of one priority come in the order of time. */
const band = 700_000_000;

/** Clock units to a second of video: places are whole numbers. */
const perSecond = 1 / 4;

/**
 * Gives tasks their places.
 * @param costs seconds of video of each task
 * @param reached where the queue's clock is: the start of the task that was leased last
 */
export function fairPlaces(
  costs: readonly number[],
  share: FairShare,
  reached: number,
  priority: -1 | 0 | 1,
): { places: Place[]; starts: number[]; share: FairShare } {
  let at = Math.max(share.finish, reached);
  const starts: number[] = [];
  for (const cost of costs) {
    starts.push(at);
    at += Math.max(0, cost) * perSecond;
  }
  return { places: starts.map((start) => placeOf(start, priority)), starts, share: { finish: at } };
}

/** The clock's time at a place. */
export function startOf(place: Place): number {
  for (const priority of [1, 0, -1]) {
    const start = priority * band - place;
    if (start >= 0 && start < band) return start;
  }
  return 0;
}

function placeOf(start: number, priority: number): Place {
  return priority * band - Math.min(band - 1, Math.floor(start));
}
