/** The value below which `fraction` (0 to 1) of the values lie: nearest rank. NaN for no values. */
export function quantile(values: readonly number[], fraction: number): number {
  return quantileOfSorted(
    [...values].sort((a, b) => a - b),
    fraction,
  );
}

/** The same for values that are in ascending order already. */
export function quantileOfSorted(sorted: ArrayLike<number>, fraction: number): number {
  const rank = Math.max(1, Math.ceil(fraction * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** The middle value; of an even number of values the mean of the two in the middle. NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

/** How far the values lie apart: (greatest − least) ÷ median. */
export function spread(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : (Math.max(...values) - Math.min(...values)) / median(values);
}

/**
 * How many times `ours` is of `theirs`: the median of the rounds' own ratios. What disturbs a machine for some seconds disturbs both values of a
 * round, so this is steadier than the ratio of two medians. Rounds that one of them lacks are left out.
 */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.slice(0, theirs.length).map((value, round) => value / (theirs[round] ?? Number.NaN)));
}
