import type { EncodeSettings } from "@kinora/media";

/**
 * Settings with others on top. What belongs to a codec's own scale (preset and quality factor) isn't carried over to another codec, nor is a target of quality to a
 * ladder that has none.
 */
export function mergeSettings(base: EncodeSettings, over: EncodeSettings): EncodeSettings {
  const kept: EncodeSettings = { ...base };
  if (over.codec !== undefined && over.codec !== (base.codec ?? "h264")) {
    delete kept.preset;
    delete kept.crf;
  }
  if (over.ladder === "fixed") delete kept.qualityTarget;
  const { rungs = [], ...rest } = over;
  const stated = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return { ...kept, ...stated, rungs: rungs.length > 0 ? rungs : (base.rungs ?? []) };
}
