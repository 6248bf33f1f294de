import { displaySize, ladder, type Size } from "./ladder.ts";
import { h264Level } from "./level.ts";
import type { AudioPlan, AudioTrack, EncodePlan, MediaInfo, Rational, RenditionPlan, VideoTrack } from "./types.ts";

/** What may be chosen for an encode; everything has a default. */
export type PlanSettings = {
  /** Length of a segment in seconds; 4 unless given. */
  segmentSeconds?: number;
  /** x264 preset; `veryfast` unless given. */
  preset?: string;
  /** x264 constant rate factor; 22 unless given. */
  crf?: number;
};

/** A plan, or why there can be none: a sentence for the person who sent the video. */
export type PlanDecision = { plan: EncodePlan; refusal?: undefined } | { refusal: string; plan?: undefined };

/** What a source may ask of a machine. Pixels and side: what H.264 decoders and a few GB of memory can hold (8192×4320 is 35.4 million). */
export const limits = {
  side: 8192,
  pixels: 36_000_000,
  seconds: 24 * 60 * 60,
  framesPerSecond: 300,
  frames: 10_000_000,
  audioTracks: 32,
};

/** Decides what is made from a source. Pure: the same source and settings give the same plan. */
export function planEncode(media: MediaInfo, settings: PlanSettings = {}): PlanDecision {
  const video = media.video;
  if (!video) {
    return {
      refusal:
        media.audio.length > 0
          ? "This file contains only audio. Kinora needs a video track."
          : "This file contains no video track.",
    };
  }
  const frameRate = averageRate(video, media.durationSeconds);
  const refusal = refuse(media, video, frameRate);
  if (refusal !== undefined) return { refusal };

  const audio = media.audio[0];
  return {
    plan: {
      segmentSeconds: settings.segmentSeconds ?? 4,
      video: {
        streamIndex: video.streamIndex,
        rotation: video.rotation,
        deinterlace: video.interlaced,
        toneMap: isHdr(video.colorTransfer),
        frameRate,
        frameCount: video.frameCount,
        renditions: planRenditions(displaySize(video), video, frameRate, settings),
        startSeconds: video.startSeconds,
      },
      audio: audio && planAudio(audio),
      // The first seconds are often black or a logo.
      posterSeconds: Math.round(Math.min(media.durationSeconds * 0.25, 60) * 1000) / 1000,
    },
  };
}

function refuse(media: MediaInfo, video: VideoTrack, frameRate: Rational): string | undefined {
  const display = displaySize(video);
  const side = Math.max(video.width, video.height, display.width, display.height);
  const pixels = Math.max(video.width * video.height, display.width * display.height);
  if (video.codec === "") return "The video track is in a format that Kinora cannot read.";
  if (video.width === 0 || video.height === 0) return "The video track does not say how large its pictures are.";
  if (side > limits.side || pixels > limits.pixels) {
    return `The picture is too large: ${video.width} × ${video.height} pixels. Kinora takes up to ${limits.side} on a side and ${limits.pixels / 1e6} million in all.`;
  }
  if (video.frameCount === 0) return "The video track contains no pictures.";
  if (video.frameCount === 1 && media.audio.length === 0) return "This file is a still picture, not a video.";
  if (!(media.durationSeconds >= 0 && media.durationSeconds <= limits.seconds)) {
    return `The video says that it is ${Math.round(media.durationSeconds / 3600)} hours long. Kinora takes up to ${limits.seconds / 3600}.`;
  }
  if (video.frameCount > limits.frames || frameRate.num > frameRate.den * limits.framesPerSecond) {
    return `The video has ${Math.round(frameRate.num / frameRate.den)} pictures a second. Kinora takes up to ${limits.framesPerSecond}.`;
  }
  if (media.audio.length > limits.audioTracks) {
    return `The file has ${media.audio.length} audio tracks. Kinora takes up to ${limits.audioTracks}.`;
  }
  return undefined;
}

function planRenditions(size: Size, video: VideoTrack, frameRate: Rational, settings: PlanSettings): RenditionPlan[] {
  // A variable rate goes above its average for a while, and the level must hold then too.
  const perSecond = frameRate.num / frameRate.den;
  const peakRate = video.variableFrameRate && perSecond < 60 ? { num: 60, den: 1 } : frameRate;
  const { crf = 22, preset = "veryfast" } = settings;
  return ladder(size).map(({ name, width, height, maxBitrate: cap }) => {
    const maxBitrate = Math.round(cap * rateFactor(perSecond));
    const bufferBits = Math.round(maxBitrate * 1.5);
    const level = h264Level({ width, height, frameRate: peakRate, maxBitrate, bufferBits });
    return { name, width, height, crf, maxBitrate, bufferBits, profile: "high", level, preset };
  });
}

/** More pictures a second need more bits, though not in proportion, since neighbours are more alike. */
function rateFactor(framesPerSecond: number): number {
  if (framesPerSecond <= 35) return 1;
  return framesPerSecond <= 90 ? 1.5 : 2;
}

function planAudio(track: AudioTrack): AudioPlan {
  const channels = track.channels === 1 ? 1 : 2;
  return {
    streamIndex: track.streamIndex,
    // Whole fractions of 44.1 kHz stay in its family, so that resampling is exact; all else becomes 48 kHz.
    sampleRate: track.sampleRate % 11_025 === 0 ? 44_100 : 48_000,
    channels,
    bitrate: channels === 1 ? 80_000 : 128_000,
    language: track.language,
  };
}

/** Perceptual quantizer (HDR10, Dolby Vision) and hybrid log-gamma, by FFmpeg's names. */
function isHdr(transfer: string): boolean {
  return transfer === "smpte2084" || transfer === "arib-std-b67";
}

function averageRate(video: VideoTrack, seconds: number): Rational {
  const rate = video.frameRate;
  if (rate && rate.num > 0 && rate.den > 0) return { num: rate.num, den: rate.den };
  if (seconds > 0 && video.frameCount > 1) return { num: Math.round((video.frameCount * 1000) / seconds), den: 1000 };
  return { num: 25, den: 1 };
}
