import { describe, expect, it } from "vitest";
import type { AudioTrack, MediaInfo, VideoTrack } from "../types.ts";
import { planEncode } from "./plan-encode.ts";

const video = (changes: Partial<VideoTrack> = {}): VideoTrack => ({
  streamIndex: 0,
  codec: "h264",
  width: 1280,
  height: 720,
  rotation: 0,
  sampleAspectRatio: { num: 1, den: 1 },
  frameRate: { num: 24, den: 1 },
  variableFrameRate: false,
  frameCount: 1253,
  pixelFormat: "yuv420p",
  colorTransfer: "bt709",
  interlaced: false,
  startSeconds: 0,
  fullRange: false,
  ...changes,
});
const audio = (changes: Partial<AudioTrack> = {}): AudioTrack => ({
  streamIndex: 1,
  codec: "aac",
  sampleRate: 48_000,
  channels: 2,
  language: "eng",
  ...changes,
});
const media = (changes: Partial<MediaInfo> = {}): MediaInfo => ({
  format: "mov,mp4,m4a,3gp,3g2,mj2",
  durationSeconds: 52.2,
  video: video(),
  audio: [audio()],
  ...changes,
});
const plan = (source: MediaInfo) => {
  const decision = planEncode(source);
  if (!decision.plan) throw new Error(decision.refusal);
  return decision.plan;
};

describe("a plan", () => {
  it("says everything that the encode needs", () => {
    const { settings, fleet, ...rest } = plan(media());
    expect(settings).toMatchObject({ codec: "h264", ladder: "fixed", preset: "veryfast", crf: 22 });
    expect(fleet).toEqual({ slots: 1, framesPerSecond: 0, encoders: ["cpu"] });
    const sound = {
      streamIndex: 1,
      sampleRate: 48_000,
      channels: 2,
      bitrate: 128_000,
      language: "eng",
      name: "audio",
    };
    expect(rest).toEqual({
      segmentSeconds: 4,
      posterSeconds: 13.05,
      video: {
        streamIndex: 0,
        rotation: 0,
        deinterlace: false,
        toneMap: false,
        frameRate: { num: 24, den: 1 },
        frameCount: 1253,
        startSeconds: 0,
        timescale: 0,
        startPts: 0n,
        renditions: [
          rendition("720p", 1280, 720, 3_400_000, 31),
          rendition("480p", 854, 480, 1_600_000, 30),
          rendition("360p", 640, 360, 900_000, 30),
          rendition("240p", 426, 240, 500_000, 21),
        ],
      },
      audio: sound,
      audioTracks: [sound],
      chunks: [],
      complete: false,
    });
  });

  it("is the same for the same source", () => {
    expect(plan(media())).toEqual(plan(media()));
  });

  it.each([
    ["hevc", { codec: "hevc" }, { codec: "hevc", profile: "main", level: 31, maxBitrate: 2_380_000 }],
    ["av1", { codec: "av1" }, { codec: "av1", level: 31, maxBitrate: 2_040_000, preset: "9", crf: 35 }],
    ["own preset and quality", { preset: "slow", crf: 18 }, { codec: "h264", preset: "slow", crf: 18 }],
  ])("takes settings: %s", (_, settings, expected) => {
    expect(planEncode(media(), settings).plan?.video?.renditions[0]).toMatchObject(expected);
  });

  it("takes a ladder of one's own", () => {
    const rungs = [
      { name: "huge", longSide: 3840, shortSide: 2160, maxBitrate: 9_000_000 },
      { name: "half", longSide: 640, shortSide: 360, maxBitrate: 700_000 },
    ];
    expect(planEncode(media(), { rungs }).plan?.video?.renditions).toMatchObject([
      { name: "half", width: 640, height: 360, maxBitrate: 700_000 },
    ]);
  });

  it("gives all renditions to one encoder family: a GPU's where live workers have one", () => {
    const families = (encoder: string | undefined, encoders: string[], codec = "h264") =>
      new Set(
        planEncode(media(), { encoder, codec }, { slots: 4, framesPerSecond: 0, encoders }).plan?.video?.renditions.map(
          (one) => one.encoder,
        ),
      );
    expect(families(undefined, ["cpu"])).toEqual(new Set(["cpu"]));
    expect(families("auto", ["cpu", "vaapi", "nvenc"])).toEqual(new Set(["nvenc"]));
    expect(families("cpu", ["cpu", "nvenc"])).toEqual(new Set(["cpu"]));
    expect(families("auto", ["cpu", "nvenc"], "av1")).toEqual(new Set(["cpu"]));
  });

  it("shows pictures upright and with square pixels", () => {
    const turned = plan(
      media({ video: video({ width: 720, height: 576, rotation: 90, sampleAspectRatio: { num: 64, den: 45 } }) }),
    );
    expect(turned.video?.renditions[0]).toMatchObject({ name: "480p", width: 480, height: 854 });
    expect(turned.video?.rotation).toBe(90);
  });

  it.each(["smpte2084", "arib-std-b67"])("maps %s to standard range", (colorTransfer) => {
    expect(plan(media({ video: video({ colorTransfer }) })).video?.toneMap).toBe(true);
  });

  it("turns fields into frames", () => {
    expect(plan(media({ video: video({ interlaced: true }) })).video?.deinterlace).toBe(true);
  });

  it("gives high and variable frame rates a level and a bit rate to hold them", () => {
    const fast = plan(media({ video: video({ frameRate: { num: 60, den: 1 } }) })).video?.renditions[0];
    expect(fast).toMatchObject({ level: 32, maxBitrate: 5_100_000, bufferBits: 7_650_000 });
    const variable = plan(media({ video: video({ variableFrameRate: true }) })).video?.renditions[0];
    expect(variable).toMatchObject({ level: 32, maxBitrate: 3_400_000 });
  });

  it.each([
    [{ sampleRate: 44_100 }, { sampleRate: 44_100, channels: 2, bitrate: 128_000 }],
    [
      { sampleRate: 22_050, channels: 1 },
      { sampleRate: 44_100, channels: 1, bitrate: 80_000 },
    ],
    [
      { sampleRate: 96_000, channels: 6 },
      { sampleRate: 48_000, channels: 2 },
    ],
    [
      { sampleRate: 8_000, channels: 1 },
      { sampleRate: 48_000, channels: 1 },
    ],
  ])("makes of audio %o AAC with %o", (track, expected) => {
    expect(plan(media({ audio: [audio(track)] })).audio).toMatchObject(expected);
  });

  it("has no audio where the source has none", () => {
    expect(plan(media({ audio: [] })).audio).toBeUndefined();
  });

  it("works out a frame rate that the file doesn't state", () => {
    const unstated = video({ frameRate: { num: 0, den: 1 }, frameCount: 100 });
    expect(plan(media({ video: unstated, durationSeconds: 4 })).video?.frameRate).toEqual({ num: 25_000, den: 1000 });
    expect(plan(media({ video: unstated, durationSeconds: 0 })).video?.frameRate).toEqual({ num: 25, den: 1 });
  });
});

describe("a refusal", () => {
  it.each([
    ["only audio", media({ video: undefined }), /only audio/],
    ["nothing to show", media({ video: undefined, audio: [] }), /no video track/],
    [
      "20,000 × 20,000 pixels",
      media({ video: video({ width: 20_000, height: 20_000 }) }),
      /too large: 20000 × 20000 pixels/,
    ],
    ["a long side", media({ video: video({ width: 9000, height: 16 }) }), /too large/],
    ["too many pixels", media({ video: video({ width: 8192, height: 8192 }) }), /too large/],
    ["no size", media({ video: video({ width: 0, height: 0 }) }), /how large/],
    ["no frames", media({ video: video({ frameCount: 0 }) }), /no pictures/],
    ["one frame and no audio", media({ video: video({ frameCount: 1 }), audio: [] }), /still picture/],
    ["an absurd length", media({ durationSeconds: 1e6 }), /278 hours/],
    ["a length that is no number", media({ durationSeconds: Number.NaN }), /hours/],
    [
      "an absurd frame rate",
      media({ video: video({ frameRate: { num: 90_000, den: 1 } }) }),
      /90000 pictures a second/,
    ],
    ["too many audio tracks", media({ audio: Array.from({ length: 33 }, () => audio()) }), /33 audio tracks/],
    ["an unknown codec", media({ video: video({ codec: "" }) }), /cannot read/],
  ])("of %s is a sentence", (_, source, sentence) => {
    const { refusal, plan } = planEncode(source);
    expect(plan).toBeUndefined();
    expect(refusal).toMatch(sentence);
    expect(refusal).toMatch(/^[A-Z].*\.$/);
  });
});

function rendition(name: string, width: number, height: number, maxBitrate: number, level: number) {
  return {
    name,
    width,
    height,
    crf: 22,
    maxBitrate,
    bufferBits: maxBitrate * 1.5,
    profile: "high",
    level,
    preset: "veryfast",
    codec: "h264",
    encoder: "cpu",
    pixelFormat: "yuv420p",
  };
}
