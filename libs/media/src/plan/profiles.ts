import type { EncodeSettings } from "../types.ts";

/** Kinora's own profiles, by name. */
export const builtInProfiles: Readonly<Record<string, EncodeSettings>> = {
  // Plays on everything that plays video at all.
  "h264-web": { codec: "h264" },
  hevc: { codec: "hevc" },
  av1: { codec: "av1" },
};

/** The profile of an encode that names none. */
export const defaultProfile = "h264-web";

/** Settings with nothing left open but the rungs, where none stand for Kinora's own ladder. */
export type WholeSettings = {
  codec: "h264" | "hevc" | "av1";
  ladder: "fixed" | "per-title";
  rungs: NonNullable<EncodeSettings["rungs"]>;
  preset: string;
  crf: number;
  qualityTarget: number;
  segmentSeconds: number;
  audioBitrate: number;
  encoder: string;
};

// Quality factors of about equal quality; each codec has a scale of its own.
const byCodec = {
  h264: { preset: "veryfast", crf: 22 },
  hevc: { preset: "veryfast", crf: 25 },
  av1: { preset: "9", crf: 35 },
} as const;

/** Fills in what a person left open. */
export function wholeSettings(settings: EncodeSettings = {}): WholeSettings {
  const codec = settings.codec === "hevc" || settings.codec === "av1" ? settings.codec : "h264";
  return {
    codec,
    // A stream begins before any trial could end: whoever wants the smaller files waits for them.
    ladder: settings.ladder === "per-title" ? "per-title" : "fixed",
    rungs: settings.rungs ?? [],
    preset: settings.preset ?? byCodec[codec].preset,
    crf: settings.crf ?? byCodec[codec].crf,
    qualityTarget: settings.qualityTarget ?? 42,
    segmentSeconds: settings.segmentSeconds ?? 4,
    audioBitrate: settings.audioBitrate ?? 128_000,
    encoder: settings.encoder ?? "auto",
  };
}
