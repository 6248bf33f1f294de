import { expect, it } from "vitest";
import type { RenditionPlan } from "../types.ts";
import { encoderOptions } from "./encoder-options.ts";

const rendition: RenditionPlan = {
  name: "720p",
  width: 1280,
  height: 720,
  crf: 22.4,
  maxBitrate: 3_400_000,
  bufferBits: 5_100_000,
  profile: "high",
  level: 31,
  preset: "veryfast",
};

it.each([
  ["", "", "libx264", /keyint=infinite:scenecut=0:open-gop=0/],
  ["h264", "cpu", "libx264", /scenecut=0/],
  ["hevc", "cpu", "libx265", /keyint=-1:scenecut=0:open-gop=0.*pools=2/],
  ["av1", "cpu", "libsvtav1", /scd=0.*lp=2/],
  ["h264", "nvenc", "h264_nvenc", /"forced-idr":1.*"no-scenecut":1/],
  ["hevc", "qsv", "hevc_qsv", /"forced_idr":1/],
  ["h264", "vaapi", "h264_vaapi", /"g":65535/],
])("%s by %s: key frames only where they are asked for", (codec, family, name, wanted) => {
  const made = encoderOptions({ ...rendition, codec, encoder: family }, 2);
  expect(made.name).toBe(name);
  expect(JSON.stringify(made.options)).toMatch(wanted);
});

it("an unknown codec or family is no silent H.264", () => {
  expect(() => encoderOptions({ ...rendition, codec: "mpeg2" }, 0)).toThrow(RangeError);
  expect(() => encoderOptions({ ...rendition, encoder: "videotoolbox" }, 0)).toThrow(/videotoolbox/);
});

it("x264 may be told its instructions, and nobody else", () => {
  const options = (codec: string) => JSON.stringify(encoderOptions({ ...rendition, codec }, 2, "SSE2Fast,AVX").options);
  expect(options("h264")).toContain("open-gop=0:asm=SSE2Fast,AVX");
  expect(options("hevc")).not.toContain("asm");
  expect(options("av1")).not.toContain("asm");
});
