import { displaySize, ladder } from "../ladder.ts";
import { h264Level } from "../level.ts";
import type { Fleet, Rational, RenditionPlan, VideoTrack } from "../types.ts";
import { levelOf } from "./level-limits.ts";
import type { WholeSettings } from "./profiles.ts";

/** Bits that a codec needs for the quality of H.264, roughly: the caps of the ladder are H.264's. */
const capFactor = { h264: 1, hevc: 0.7, av1: 0.6 } as const;

/** The renditions of a source, largest first. */
export function planRenditions(
  video: VideoTrack,
  frameRate: Rational,
  settings: WholeSettings,
  fleet: Fleet,
): RenditionPlan[] {
  // A variable rate goes above its average for a while, and the level must hold then too.
  const perSecond = frameRate.num / frameRate.den;
  const peakRate = video.variableFrameRate && perSecond < 60 ? { num: 60, den: 1 } : frameRate;
  const { codec, crf, preset } = settings;
  const encoder = encoderFamily(settings, fleet);
  return ladder(displaySize(video), settings.rungs).map(({ name, width, height, maxBitrate: cap }) => {
    const factor = settings.rungs.length > 0 ? 1 : capFactor[codec];
    const maxBitrate = Math.round(cap * factor * rateFactor(perSecond));
    const bufferBits = Math.round(maxBitrate * 1.5);
    const demand = { width, height, frameRate: peakRate, maxBitrate, bufferBits };
    return {
      name,
      width,
      height,
      crf,
      maxBitrate,
      bufferBits,
      profile: codec === "h264" ? "high" : "main",
      level: codec === "h264" ? h264Level(demand) : levelOf(codec, demand),
      preset,
      codec,
      encoder,
      pixelFormat: "yuv420p",
    };
  });
}

/** GPU families by preference. */
const gpus = ["nvenc", "qsv", "vaapi"];

/** The encoder family that makes all renditions: never two in one stream. Only H.264 and HEVC go to a GPU by themselves, since few have AV1. */
function encoderFamily({ encoder, codec }: WholeSettings, fleet: Fleet): string {
  if (encoder !== "auto") return encoder;
  return (codec !== "av1" && gpus.find((gpu) => fleet.encoders.includes(gpu))) || "cpu";
}

/** More pictures a second need more bits, though not in proportion, since neighbours are more alike. */
function rateFactor(framesPerSecond: number): number {
  if (framesPerSecond <= 35) return 1;
  return framesPerSecond <= 90 ? 1.5 : 2;
}
