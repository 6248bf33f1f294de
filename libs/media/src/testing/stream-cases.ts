/** Sources of many formats for `stream.test.ts`, and what is expected of the streams made from them. */
import type { MediaInfo } from "../types.ts";
import type { MediaSpec } from "./make-media.ts";

/** Every source flashes and beeps from 1.0 to 1.2 s after its first picture. */
export const flash: [number, number] = [1, 1.2];
const fps = (num: number, den = 1) => ({ num, den });

type Video = NonNullable<MediaSpec["video"]>;
type Audio = NonNullable<MediaSpec["audio"]>;
export const video = (changes: Partial<Video> = {}): Video => ({
  codec: "libx264",
  width: 320,
  height: 180,
  frameRate: fps(25),
  frames: 50,
  ...changes,
});
export const audio = (changes: Partial<Audio> = {}): Audio => ({
  codec: "aac",
  sampleRate: 48_000,
  channels: 2,
  seconds: 2,
  ...changes,
});

export type Case = {
  file: string;
  video?: Partial<Video>;
  audio?: Partial<Audio> | null;
  format?: string;
  muxerOptions?: MediaSpec["muxerOptions"];
  expect?: {
    media?: Partial<Omit<MediaInfo, "video">> & { video?: Partial<MediaInfo["video"]> };
    /** Name and size of the largest rendition. */
    top?: string;
    frames?: number;
    /** Brightness of the corners, clockwise from the top left: which one is bright. */
    brightCorner?: number;
    audio?: { sampleRate?: number; channels?: number } | null;
  };
  /** Another time for flash and beep. */
  flash?: [number, number];
};

/** Uneven times, with a pause of more than a second and a burst. */
const uneven = [
  0, 0.04, 0.1, 0.2, 0.5, 0.96, 1, 1.04, 1.08, 1.12, 1.16, 1.2, 2.6, 2.62, 2.64, 3.9, 4.1, 4.2, 9.3, 9.34,
];

export const cases: Case[] = [
  { file: "h264-aac.mp4" },
  { file: "b-frames.mkv", video: { options: { bf: 3, g: 250 } } },
  { file: "open-gop.mp4", video: { options: { bf: 3, "x264-params": "keyint=12:open-gop=1" } } },
  { file: "fragmented.mp4", muxerOptions: { movflags: "frag_keyframe+empty_moov" } },
  { file: "ntsc.mov", video: { frameRate: fps(24_000, 1001), timeBase: { num: 1, den: 24_000 }, frames: 48 } },
  {
    file: "ntsc.mkv",
    video: { frameRate: fps(30_000, 1001), frames: 60 },
    expect: { media: { video: { frameRate: fps(30_000, 1001), variableFrameRate: false } } },
  },
  { file: "sixty.mp4", video: { frameRate: fps(60), frames: 120 } },
  { file: "high-rate.mp4", video: { frameRate: fps(120), frames: 240 } },
  {
    file: "hevc-10-bit.mkv",
    video: {
      codec: "libx265",
      pixelFormat: "yuv420p10le",
      options: { preset: "ultrafast", "x265-params": "log-level=none" },
    },
  },
  {
    file: "vp9-opus.webm",
    video: { codec: "libvpx-vp9", options: { deadline: "realtime", "cpu-used": 8 } },
    audio: { codec: "libopus" },
  },
  {
    file: "vp8-vorbis.webm",
    video: { codec: "libvpx", options: { "auto-alt-ref": 1, "lag-in-frames": 16, "cpu-used": 5, b: "200k" } },
    audio: { codec: "libvorbis" },
  },
  { file: "av1.mp4", video: { codec: "libsvtav1", options: { preset: 10 } }, audio: { codec: "libopus" } },
  {
    file: "mpeg4-mp3.avi",
    video: { codec: "mpeg4", timeBase: fps(1, 25), options: { bf: 2 } },
    audio: { codec: "libmp3lame", sampleRate: 44_100 },
    expect: { audio: { sampleRate: 44_100, channels: 2 } },
  },
  { file: "theora-vorbis.ogv", video: { codec: "libtheora", timeBase: fps(1, 25) }, audio: { codec: "libvorbis" } },
  { file: "wmv.asf", video: { codec: "wmv2", timeBase: fps(1, 25) }, audio: { codec: "wmav2" } },
  {
    file: "flash.flv",
    video: { codec: "flv", timeBase: fps(1, 25) },
    audio: { codec: "libmp3lame", sampleRate: 44_100 },
  },
  { file: "h264.ts", video: { options: { bf: 3 } }, audio: { codec: "mp2" } },
  {
    file: "program.mpg",
    video: { codec: "mpeg2video", timeBase: fps(1, 25), options: { bf: 2 } },
    audio: { codec: "mp2" },
    format: "vob",
  },
  {
    file: "interlaced.ts",
    video: {
      codec: "mpeg2video",
      width: 352,
      height: 288,
      timeBase: fps(1, 25),
      isInterlaced: true,
      options: { b: "1M" },
    },
    audio: { codec: "mp2" },
    expect: { media: { video: { interlaced: true } } },
  },
  {
    file: "interlaced-h264.ts",
    video: { isInterlaced: true, height: 192 },
    audio: { codec: "mp2" },
    expect: { media: { video: { interlaced: true } } },
  },
  { file: "prores.mov", video: { codec: "prores_ks", pixelFormat: "yuv422p10le" }, audio: { codec: "pcm_s16le" } },
  { file: "rgb.mkv", video: { codec: "ffv1", pixelFormat: "bgra" }, audio: { codec: "flac" } },
  {
    file: "full-range.mp4",
    video: { pixelFormat: "yuvj420p", fullRange: true },
    expect: { media: { video: { fullRange: true } } },
  },
  {
    file: "turned-90.mp4",
    video: { rotation: 90, width: 640, height: 360 },
    expect: { top: "360p 360x640", brightCorner: 1 },
  },
  { file: "turned-180.mp4", video: { rotation: 180 }, expect: { top: "180p 320x180", brightCorner: 2 } },
  { file: "turned-270.mov", video: { rotation: 270 }, expect: { top: "180p 180x320", brightCorner: 3 } },
  { file: "odd-size.mkv", video: { codec: "ffv1", width: 427, height: 241 }, expect: { top: "240p 426x240" } },
  {
    file: "wide-pixels.mkv",
    video: { width: 360, height: 288, sampleAspectRatio: { num: 64, den: 45 } },
    expect: { top: "240p 426x240" },
  },
  {
    file: "hdr10.mkv",
    video: {
      codec: "libx265",
      pixelFormat: "yuv420p10le",
      colour: { primaries: 9, transfer: 16, matrix: 9 },
      options: { preset: "ultrafast", "x265-params": "log-level=none" },
    },
    expect: { media: { video: { colorTransfer: "smpte2084" } } },
  },
  {
    file: "variable.mp4",
    video: { frames: uneven },
    audio: { seconds: 9 },
    expect: { frames: 20, media: { video: { variableFrameRate: true, frameCount: 20 } } },
  },
  {
    file: "variable.mkv",
    video: { frames: uneven },
    audio: { seconds: 9 },
    expect: { frames: 20, media: { video: { variableFrameRate: true, frameCount: 20 } } },
  },
  { file: "silent.mp4", audio: null, expect: { audio: null } },
  {
    file: "mono.mkv",
    audio: { channels: 1, sampleRate: 22_050, codec: "pcm_s16le" },
    expect: { audio: { channels: 1, sampleRate: 44_100 } },
  },
  {
    file: "surround.mkv",
    audio: { codec: "ac3", channels: 6 },
    expect: { audio: { channels: 2, sampleRate: 48_000 } },
  },
  {
    file: "fine.mkv",
    audio: { codec: "flac", sampleRate: 96_000 },
    expect: { audio: { sampleRate: 48_000, channels: 2 } },
  },
  { file: "long-audio.mkv", audio: { seconds: 5 } },
  { file: "short-audio.mp4", audio: { seconds: 1.5 } },
  { file: "late-audio.mkv", audio: { startSeconds: 0.7, seconds: 1.3 } },
  {
    file: "very-late-audio.mkv",
    flash: [4, 4.2],
    video: { frames: 150 },
    audio: { startSeconds: 3.2, seconds: 2 },
  },
  { file: "early-audio.mkv", video: { startSeconds: 0.5 }, audio: { seconds: 2.5 } },
  { file: "early-audio.ts", video: { startSeconds: 0.5 }, audio: { codec: "mp2", seconds: 2.5 } },
  { file: "paused-audio.mkv", video: { frames: 150 }, audio: { seconds: 6, pause: [0.3, 3.7] }, flash: [4, 4.2] },
  { file: "no-sound.mkv", audio: { seconds: 0 }, expect: { audio: null } },
  { file: "short-pause.mkv", audio: { pause: [0.3, 0.8] } },
  { file: "late-start.ts", video: { startSeconds: 30 }, audio: { codec: "mp2", startSeconds: 30 } },
  { file: "one-frame.mp4", video: { frames: 1 }, audio: { seconds: 1.5 } },
];
