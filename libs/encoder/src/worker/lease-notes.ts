import type { Context } from "../context.ts";
import { moveFairClock } from "../store/fairness.store.ts";
import { noteLeased } from "../store/locked-encode.store.ts";

/** Notes what others see of leases. */
export type LeaseNotes = {
  /** Work on encodes has begun; `start`, if it is of a queue where people take turns, is how far that is. Resolves once it is written; never rejects. */
  note(encodeIds: Iterable<string>, start: number | undefined): Promise<void>;
};

/** Makes the notes: those that come while the last ones are written are written together. If some are lost, the next lease of the encode makes up for it. */
export function createLeaseNotes(context: Pick<Context, "db" | "logger" | "encodeChanged">): LeaseNotes {
  const encodes = new Set<string>();
  let reached: number | undefined;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (encodes.size > 0) {
      const ids = [...encodes];
      const start = reached;
      encodes.clear();
      reached = undefined;
      try {
        await noteLeased(context.db, ids);
        if (start !== undefined) await moveFairClock(context.db, start);
      } catch (error) {
        context.logger.debug({ err: error }, "could not note that work on encodes has begun");
      }
      for (const id of ids) context.encodeChanged.notify(id);
    }
    writing = undefined;
  }

  return {
    note(encodeIds, start) {
      for (const id of encodeIds) encodes.add(id);
      if (start !== undefined) reached = Math.max(start, reached ?? start);
      writing ??= write();
      return writing;
    },
  };
}
