import { DomainError } from "@kinora/rpc";

/** Bounds how many watches run at the same time: each asks the database once a second. */
export type WatchLimit = {
  /** Counts a watch until the answer is called; throws `exhausted` when there are too many. */
  begin(userId: string): () => void;
};

/** Makes a limit for a process and for each person. */
export function createWatchLimit(limits: { total: number; perUser: number }): WatchLimit {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    begin(userId) {
      const own = counts.get(userId) ?? 0;
      if (own >= limits.perUser || total >= limits.total) {
        const who = own >= limits.perUser ? "You watch" : "People watch";
        throw new DomainError("exhausted", `${who} too many encodes at the same time. Try again later.`, {
          retryAfterSeconds: 5,
        });
      }
      counts.set(userId, own + 1);
      total += 1;
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        total -= 1;
        const left = (counts.get(userId) ?? 1) - 1;
        if (left === 0) counts.delete(userId);
        else counts.set(userId, left);
      };
    },
  };
}
