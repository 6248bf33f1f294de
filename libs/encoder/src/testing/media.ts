import { randomBytes } from "node:crypto";
import type { EncodePlan, MediaInfo, StreamResult, TrackResult } from "@kinora/media";

/** What a worker would find in a short video with sound: 10 s, 24 frames a second. */
export const media: MediaInfo = {
  format: "mov,mp4,m4a,3gp,3g2,mj2",
  durationSeconds: 10,
  video: {
    streamIndex: 0,
    codec: "h264",
    width: 640,
    height: 360,
    rotation: 0,
    sampleAspectRatio: { num: 1, den: 1 },
    frameRate: { num: 24, den: 1 },
    variableFrameRate: false,
    frameCount: 240,
    pixelFormat: "yuv420p",
    colorTransfer: "bt709",
    interlaced: false,
    startSeconds: 0,
    fullRange: false,
  },
  audio: [{ streamIndex: 1, codec: "aac", sampleRate: 48_000, channels: 2, language: "und" }],
};

/** A result as the plan asks for it, with files of random bytes. */
export function makeStream(plan: EncodePlan): { result: StreamResult; files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>([["poster.jpg", randomBytes(300)]]);
  const track = (name: string, rest: Partial<TrackResult>, durations: number[]): TrackResult => {
    const write = (path: string, bytes: number) => {
      files.set(`${name}/${path}`, randomBytes(bytes));
      return bytes;
    };
    return {
      name,
      codecs: "avc1.64001e",
      timescale: 24,
      width: 0,
      height: 0,
      sampleRate: 0,
      channels: 0,
      language: "",
      frames: 240,
      start: 0,
      ...rest,
      initBytes: write("init.mp4", 700),
      segments: durations.map((duration, index) => ({ duration, bytes: write(`${index + 1}.m4s`, 1000 + index) })),
    };
  };
  const { video, audio } = plan;
  return {
    files,
    result: {
      video: (video?.renditions ?? []).map(({ name, width, height }) =>
        track(name, { width, height, frameRate: { num: 24, den: 1 } }, [96, 96, 48]),
      ),
      audio:
        audio &&
        track(
          "audio",
          {
            codecs: "mp4a.40.2",
            timescale: audio.sampleRate,
            sampleRate: audio.sampleRate,
            channels: audio.channels,
            frames: 469,
          },
          [192_512, 191_488, 96_256],
        ),
      poster: "poster.jpg",
    },
  };
}
