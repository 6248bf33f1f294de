/** A number that something must reach: `value` is what was measured. */
export type Target = { name: string; value: number; op: ">=" | "<="; must: number; want?: number };

/** Whether the measured value is good enough. A value that isn't a number never is. */
export function holds({ value, op, must }: Target): boolean {
  return op === ">=" ? value >= must : value <= must;
}

/** `value` must be at least `must`. */
export function atLeast(name: string, value: number, must: number, want?: number): Target {
  return { name, value, op: ">=", must, ...(want === undefined ? {} : { want }) };
}

/** `value` must be at most `must`. */
export function atMost(name: string, value: number, must: number, want?: number): Target {
  return { name, value, op: "<=", must, ...(want === undefined ? {} : { want }) };
}
