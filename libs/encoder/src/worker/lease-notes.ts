import type { Context } from "../context.ts";
import { moveFairClock, type Turns } from "../store/fairness.store.ts";
import { noteLeased } from "../store/locked-encode.store.ts";

/** Notes what others see of leases. */
export type LeaseNotes = {
  /** Work on encodes has begun; `start` is how far the turns have come. Resolves once it is written; never rejects. */
  note(encodeIds: Iterable<string>, turns: Turns, start: number): Promise<void>;
};

/** Makes the notes: those that come while the last ones are written are written together. If some are lost, the next lease of the encode makes up for it. */
export function createLeaseNotes(context: Pick<Context, "db" | "logger" | "encodeChanged">): LeaseNotes {
  const encodes = new Set<string>();
  const reached = new Map<Turns, number>();
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (encodes.size > 0) {
      const ids = [...encodes];
      const starts = [...reached];
      encodes.clear();
      reached.clear();
      try {
        await noteLeased(context.db, ids);
        for (const [turns, start] of starts) await moveFairClock(context.db, turns, start);
      } catch (error) {
        context.logger.debug({ err: error }, "could not note that work on encodes has begun");
      }
      for (const id of ids) context.encodeChanged.notify(id);
    }
    writing = undefined;
  }

  return {
    note(encodeIds, turns, start) {
      for (const id of encodeIds) encodes.add(id);
      reached.set(turns, Math.max(start, reached.get(turns) ?? start));
      writing ??= write();
      return writing;
    },
  };
}
