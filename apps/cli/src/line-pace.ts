/** When a line is worth writing where no bar can be drawn. */
export type LinePace = { due(nowMs: number, key: string, fraction: number): boolean };

/** A line at every change of `key`, after every 5 % (but not twice a second), and after ten seconds at the latest. */
export function createLinePace(): LinePace {
  let last: { timeMs: number; key: string; fraction: number } | undefined;
  return {
    due(timeMs, key, fraction) {
      const due =
        last === undefined ||
        last.key !== key ||
        timeMs - last.timeMs >= 10_000 ||
        (timeMs - last.timeMs >= 1_000 && Math.abs(fraction - last.fraction) >= 0.05);
      if (due) last = { timeMs, key, fraction };
      return due;
    },
  };
}
