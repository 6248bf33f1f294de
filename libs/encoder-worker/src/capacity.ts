const gibibyte = 2 ** 30;

/** Memory that a slot is to have at least, in bytes: a ladder of a large source takes about half of it. */
const memoryOfSlot = 1.5 * gibibyte;

/**
 * Slots of a worker that has a machine (or container) to itself: one for two cores, since renditions are encoded side by side. Two on two cores take the same time for one video (a slot alone leaves cores idle
 * while it begins and ends, two get in the way of each other's caches) and 4 to 10 % more CPU: `docs/media-tasks.md`.
 */
export function defaultSlots(cores: number, memoryBytes: number): number {
  const byMemory = Math.floor(memoryBytes / memoryOfSlot);
  return Math.max(1, Math.min(byMemory, Math.round(cores / 2)));
}

/**
 * The most threads of an encoder in a slot (smaller renditions have fewer); 0 for as many as it likes. x264's own figure for a slot's share of the cores (one and a half times it), and three at least: a task that runs alone, as the last one of a stream
 * does, goes on over more than its share.
 */
export function threadsOfSlot(cores: number, slots: number): number {
  return slots === 1 ? 0 : Math.max(3, Math.ceil((1.5 * cores) / slots));
}
