import type { Check } from "../types.ts";

/** What a check says: `noted` is worth knowing and no fault. */
export type Verdict = Pick<Check, "outcome" | "detail" | "segments">;
export const passed = (detail: string): Verdict => ({ outcome: "passed", detail });
export const noted = (detail: string): Verdict => ({ outcome: "noted", detail });
/** `segments`: those at fault, counted from 1, if that is known. Only those of pictures can be made again one by one. */
export const failed = (detail: string, segments: number[] = []): Verdict => ({
  outcome: "failed",
  detail,
  ...(segments.length > 0 && { segments }),
});
export const check = (name: string, track: string, verdict: Verdict): Check => ({ name, track, ...verdict });
