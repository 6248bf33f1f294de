import type { FFEncoderCodec } from "node-av/constants";
import type { VideoCodec } from "../mp4/video-codec.ts";
import { TaskError } from "../task-error.ts";
import type { RenditionPlan } from "../types.ts";
import { readProcessor, x264Instructions } from "./x264-instructions.ts";

/** FFmpeg's encoder for a rendition, the options that only it has, and its pixel format by FFmpeg's name. */
export type EncoderOptions = {
  name: FFEncoderCodec;
  options: Record<string, string | number>;
  pixelFormat: "yuv420p" | "nv12";
  /** Whether it takes its pictures from a GPU's memory only. */
  onDevice?: boolean;
};

const ofThisMachine = x264Instructions(readProcessor());

/**
 * Only the pictures that we name start a group of pictures, and nothing refers across them: whatever the encoder, it decides neither on scene changes nor on distances
 * by itself. libx265 ignores FFmpeg's options for that and wants its own. `threads` 0 stands for as many as the encoder likes.
 * @param instructions that x264 is to use; empty for its own choice
 */
export function encoderOptions(plan: RenditionPlan, threads: number, instructions = ofThisMachine): EncoderOptions {
  const { preset, profile, crf } = plan;
  const { encoder: family = "" } = plan;
  if (family === "nvenc" || family === "qsv" || family === "vaapi") return hardwareOptions(plan, family);
  if (family !== "" && family !== "cpu")
    throw new TaskError("machine", `This worker has no encoders of the family ${family}.`);
  const pixelFormat = "yuv420p";
  const forced = { "forced-idr": 1 };
  switch (codecOf(plan)) {
    case "h264": {
      const own = `keyint=infinite:scenecut=0:open-gop=0${instructions && `:asm=${instructions}`}`;
      return {
        name: encoder("libx264"),
        options: { preset, profile, crf, ...forced, "x264-params": own },
        pixelFormat,
      };
    }
    case "hevc": {
      const pools = threads > 0 ? `:pools=${threads}:frame-threads=${Math.min(threads, 3)}` : "";
      const own = `keyint=-1:scenecut=0:open-gop=0:info=0:log-level=none:no-repeat-headers=1${pools}`;
      return {
        name: encoder("libx265"),
        options: { preset, profile, crf, ...forced, "x265-params": own },
        pixelFormat,
      };
    }
    case "av1": {
      const own = `scd=0:keyint=-1${threads > 0 ? `:lp=${threads}` : ""}`;
      return { name: encoder("libsvtav1"), options: { preset, crf, "svtav1-params": own }, pixelFormat };
    }
  }
}

/** GPUs have presets and quality scales of their own; a CRF is close to what they call constant quality. */
function hardwareOptions(plan: RenditionPlan, family: "nvenc" | "qsv" | "vaapi"): EncoderOptions {
  const name = encoder(`${codecOf(plan)}_${family}`);
  const quality = Math.round(plan.crf);
  const pixelFormat = "nv12";
  switch (family) {
    case "nvenc": {
      const own = { rc: "vbr", cq: quality, "forced-idr": 1, "no-scenecut": 1, g: 100_000, b_ref_mode: "disabled" };
      return { name, options: { preset: "p4", ...own }, pixelFormat };
    }
    case "qsv": {
      const own = { global_quality: quality, forced_idr: 1, g: 65_535, adaptive_i: 0 };
      return { name, options: { preset: "medium", ...own }, pixelFormat };
    }
    case "vaapi":
      // A picture that must be an I picture is an IDR here. Some GPUs have no B pictures, and which rate control there is only the driver knows.
      return { name, options: { global_quality: quality, g: 65_535, bf: 0 }, pixelFormat, onDevice: true };
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
