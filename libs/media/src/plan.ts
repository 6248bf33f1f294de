import type { EncodePlan, MediaInfo } from "./types.ts";

/** What may be chosen for an encode; everything has a default. */
export type PlanSettings = {
  /** Length of a segment in seconds; 4 unless given. */
  segmentSeconds?: number;
  /** x264 preset; `veryfast` unless given. */
  preset?: string;
};

/** A plan, or why there can be none: a sentence for the person who sent the video. */
export type PlanDecision = { plan: EncodePlan; refusal?: undefined } | { refusal: string; plan?: undefined };

/** Decides what is made from a source. Pure: the same source and settings give the same plan. */
export function planEncode(media: MediaInfo, settings: PlanSettings = {}): PlanDecision {
  throw new Error(`planEncode is not written yet: ${media.format} ${settings.preset ?? ""}`);
}
