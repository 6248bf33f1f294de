/**
 * The memory that a worker's tasks have together. What a task needs shows only while it runs (a chunk of 720p 0.35 GB, one of 2160p in HEVC 2.5): so tasks begin as long as there is room for as much as
 * the last ones needed, and where it doesn't suffice after all, those that began last make room.
 */
export type MemoryBudget = {
  /**
   * A place for a task that can be handed back, once what runs leaves as much as tasks needed lately; at once where nothing runs. Undefined when the signal aborts; never rejects. Close it, whether a task
   * came or not.
   */
  take(signal: AbortSignal): Promise<MemoryPlace | undefined>;
  /** A place for a task that nobody waits for to begin and that makes no room: one of few, and small. */
  beside(): MemoryPlace;
};

/** One task's part of the memory. */
export type MemoryPlace = {
  /** Its task begins; `makeRoom` is called, once at most, when it has to end. */
  begin(makeRoom: () => void): void;
  /** Its process has so many bytes by now. */
  uses(bytes: number): void;
  close(): void;
};

type Entry = { bytes: number; peak: number; makeRoom: (() => void) | undefined; leaving: boolean };

/** As many ended tasks tell what the next ones will need: few, so that one that was large doesn't hold all of a machine up for long. */
const remembered = 4;

/** Divides so many bytes among tasks. */
export function createMemoryBudget(bytes: number): MemoryBudget {
  /** Those that can be handed back, in the order in which they were taken and then begun. */
  const tasks = new Set<Entry>();
  const others = new Set<Entry>();
  const waiting = new Set<() => void>();
  let lately: number[] = [];

  const sum = (entries: Iterable<Entry>, of: (entry: Entry) => number) =>
    [...entries].reduce((total, entry) => total + of(entry), 0);

  function hasRoom(): boolean {
    if (tasks.size === 0) return true;
    const expected = Math.max(0, ...lately);
    // One that has just begun will have what the others had.
    const claimed = sum(tasks, (task) => Math.max(task.bytes, expected)) + sum(others, (other) => other.bytes);
    return claimed + expected <= bytes;
  }

  function makeRoom(): void {
    const staying = [...tasks].filter((task) => !task.leaving);
    const running = staying.filter((task) => task.makeRoom !== undefined);
    let used = sum(staying, (task) => task.bytes) + sum(others, (other) => other.bytes);
    // The first goes on in any case, so that something always ends; its own limit holds it back.
    while (used > bytes && running.length > 1) {
      const last = running.pop();
      if (last === undefined) return;
      last.leaving = true;
      used -= last.bytes;
      last.makeRoom?.();
    }
  }

  function wake(): void {
    for (const look of waiting) look();
  }

  function placeIn(entries: Set<Entry>): MemoryPlace {
    const entry: Entry = { bytes: 0, peak: 0, makeRoom: undefined, leaving: false };
    entries.add(entry);
    return {
      begin(leave) {
        if (entries !== tasks || !tasks.delete(entry)) return;
        tasks.add(entry); // behind all that run
        entry.makeRoom = leave;
      },
      uses(now) {
        entry.bytes = now;
        entry.peak = Math.max(entry.peak, now);
        makeRoom();
      },
      close() {
        if (!entries.delete(entry)) return;
        if (entries === tasks && entry.peak > 0) lately = [...lately, entry.peak].slice(-remembered);
        wake();
      },
    };
  }

  return {
    beside: () => placeIn(others),
    async take(signal) {
      while (!hasRoom()) {
        if (signal.aborted) return undefined;
        await new Promise<void>((resolve) => {
          const look = () => {
            waiting.delete(look);
            signal.removeEventListener("abort", look);
            resolve();
          };
          waiting.add(look);
          signal.addEventListener("abort", look, { once: true });
        });
      }
      return signal.aborted ? undefined : placeIn(tasks);
    },
  };
}
