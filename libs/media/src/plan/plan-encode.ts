import { planColour, transferNumber } from "../colour.ts";
import { displaySize } from "../ladder.ts";
import { timescaleFor } from "../timescale.ts";
import type {
  AudioPlan,
  AudioTrack,
  EncodePlan,
  EncodeSettings,
  Fleet,
  MediaInfo,
  Rational,
  VideoTrack,
} from "../types.ts";
import { headChunks } from "./head-chunks.ts";
import { wholeSettings } from "./profiles.ts";
import { planRenditions } from "./renditions.ts";

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

/** One slot of software encoding: what a laptop has. */
const smallestFleet: Fleet = { slots: 1, framesPerSecond: 0, encoders: ["cpu"] };

/**
 * Decides what is made from a source, as far as its headers tell: the plan's chunks are those of the head, and `completePlan` adds the rest. Pure: the same source,
 * settings and fleet give the same plan.
 */
export function planEncode(media: MediaInfo, settings: EncodeSettings = {}, fleet = smallestFleet): PlanDecision {
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

  const whole = wholeSettings(settings);
  const audioTracks = media.audio.map((track, index) => planAudio(track, index, whole.audioBitrate));
  const perTitle = whole.ladder === "per-title";
  return {
    plan: {
      segmentSeconds: whole.segmentSeconds,
      video: {
        streamIndex: video.streamIndex,
        rotation: video.rotation,
        deinterlace: video.interlaced,
        toneMap: isHdr(video.colorTransfer),
        frameRate,
        frameCount: video.frameCount,
        renditions: planRenditions(video, frameRate, whole, fleet),
        startSeconds: video.startSeconds,
        timeBase: video.timeBase,
        startPts: video.startPts ?? 0n,
        timescale: video.timeBase ? timescaleFor(video.timeBase) : 0,
        ...colourOf(video),
      },
      audio: audioTracks[0],
      audioTracks,
      // The first seconds are often black or a logo.
      posterSeconds: Math.round(Math.min(media.durationSeconds * 0.25, 60) * 1000) / 1000,
      chunks: perTitle
        ? []
        : headChunks(
            { video, frameRate, durationSeconds: media.durationSeconds },
            { segmentSeconds: whole.segmentSeconds, slots: fleet.slots },
          ),
      complete: false,
      settings: whole,
      fleet,
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
  const known = video.frameCountExact !== false || video.frameCount > 1;
  const still = known ? refuseCount(video.frameCount, media.audio.length) : undefined;
  if (still !== undefined) return still;
  const long = refuseLength(media.durationSeconds) ?? refuseRate(frameRate);
  if (long !== undefined) return long;
  if (media.audio.length > limits.audioTracks) {
    return `The file has ${media.audio.length} audio tracks. Kinora takes up to ${limits.audioTracks}.`;
  }
  return undefined;
}

/** Why a source of such a length is refused. */
export function refuseLength(seconds: number, what = "video"): string | undefined {
  if (seconds >= 0 && seconds <= limits.seconds) return undefined;
  return `The ${what} says that it is ${Math.round(seconds / 3600)} hours long. Kinora takes up to ${limits.seconds / 3600}.`;
}

/** Why a source with so many pictures a second is refused. */
export function refuseRate({ num, den }: Rational): string | undefined {
  if (num <= den * limits.framesPerSecond) return undefined;
  return `The video has ${Math.round(num / den)} pictures a second. Kinora takes up to ${limits.framesPerSecond}.`;
}

/** Why a source with so many pictures is no video; undefined if it may be one. */
export function refuseCount(frames: number, audioTracks: number): string | undefined {
  if (frames === 0) return "The video track contains no pictures.";
  if (frames === 1 && audioTracks === 0) return "This file is a still picture, not a video.";
  if (frames > limits.frames) return `The video has ${frames} pictures. Kinora takes up to ${limits.frames}.`;
  return undefined;
}

function planAudio(track: AudioTrack, index: number, stereoBitrate: number): AudioPlan {
  const channels = track.channels === 1 ? 1 : 2;
  return {
    streamIndex: track.streamIndex,
    // Whole fractions of 44.1 kHz stay in its family, so that resampling is exact; all else becomes 48 kHz.
    sampleRate: track.sampleRate % 11_025 === 0 ? 44_100 : 48_000,
    channels,
    bitrate: channels === 1 ? Math.round(stereoBitrate * 0.625) : stereoBitrate,
    language: track.language,
    name: index === 0 ? "audio" : `audio-${index + 1}`,
  };
}

/** The output's colours. What the source's transfer is by number only its name tells here; the usual one goes with the others. */
function colourOf(video: VideoTrack) {
  const { width, height, colorPrimaries = 0, colorMatrix = 0, colorTransfer } = video;
  if (colorMatrix === 0 && colorPrimaries === 0) return {};
  const { primaries, transfer, matrix } = planColour({
    primaries: colorPrimaries,
    transfer: transferNumber(colorTransfer),
    matrix: colorMatrix,
    width,
    height,
    toneMap: isHdr(colorTransfer),
  });
  return { colorPrimaries: primaries, colorTransfer: transfer, colorMatrix: matrix };
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
