import type { FFEncoderCodec } from "node-av/constants";
import type { VideoCodec } from "../mp4/video-codec.ts";
import type { RenditionPlan } from "../types.ts";

/** FFmpeg's encoder for a rendition, and the options that only it has. */
export type EncoderOptions = { name: FFEncoderCodec; options: Record<string, string | number> };

/**
 * Only the pictures that we name start a group of pictures, and nothing refers across them: whatever the encoder, it decides neither on scene changes nor on distances
 * by itself. libx265 ignores FFmpeg's options for that and wants its own. `threads` 0 stands for as many as the encoder likes.
 */
export function encoderOptions(plan: RenditionPlan, threads: number): EncoderOptions {
  const { preset, profile, crf } = plan;
  const forced = { "forced-idr": 1 };
  switch (codecOf(plan)) {
    case "h264": {
      const own = "keyint=infinite:scenecut=0:open-gop=0";
      return { name: encoder("libx264"), options: { preset, profile, crf, ...forced, "x264-params": own } };
    }
    case "hevc": {
      const pools = threads > 0 ? `:pools=${threads}:frame-threads=${Math.min(threads, 3)}` : "";
      const own = `keyint=-1:scenecut=0:open-gop=0:info=0:log-level=none:no-repeat-headers=1${pools}`;
      return { name: encoder("libx265"), options: { preset, profile, crf, ...forced, "x265-params": own } };
    }
    case "av1": {
      const own = `scd=0:keyint=-1${threads > 0 ? `:lp=${threads}` : ""}`;
      return { name: encoder("libsvtav1"), options: { preset, crf, "svtav1-params": own } };
    }
  }
}

/** A rendition's codec; plans of before there was a choice have none. */
export function codecOf(plan: RenditionPlan): VideoCodec {
  const { codec = "" } = plan;
  if (codec === "" || codec === "h264") return "h264";
  if (codec === "hevc" || codec === "av1") return codec;
  throw new RangeError(`no codec ${codec}`);
}

const encoder = (name: string) => name as FFEncoderCodec;
