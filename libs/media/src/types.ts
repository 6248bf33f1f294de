/**
 * What a source contains, what is made from it, and what came of it: plain objects with the same fields as the messages of
 * `proto/encoder/v1/media.proto`, so that services pass them on without mapping (`types.test.ts` holds the two together). The contract
 * describes each field.
 */

/** A ratio of two whole numbers; `den` is never 0. */
export type Rational = { num: number; den: number };

/** What a source file contains. */
export type MediaInfo = {
  format: string;
  durationSeconds: number;
  video?: VideoTrack | undefined;
  audio: AudioTrack[];
};

/** The video track of a source. */
export type VideoTrack = {
  streamIndex: number;
  codec: string;
  width: number;
  height: number;
  rotation: number;
  sampleAspectRatio?: Rational | undefined;
  frameRate?: Rational | undefined;
  variableFrameRate: boolean;
  frameCount: number;
  pixelFormat: string;
  colorTransfer: string;
  interlaced: boolean;
  startSeconds: number;
  fullRange: boolean;
};

/** An audio track of a source. */
export type AudioTrack = {
  streamIndex: number;
  codec: string;
  sampleRate: number;
  channels: number;
  language: string;
};

/** What is made from a source. */
export type EncodePlan = {
  segmentSeconds: number;
  video?: VideoPlan | undefined;
  audio?: AudioPlan | undefined;
  posterSeconds: number;
};

/** How the source's pictures are prepared for all renditions. */
export type VideoPlan = {
  streamIndex: number;
  rotation: number;
  deinterlace: boolean;
  toneMap: boolean;
  frameRate?: Rational | undefined;
  frameCount: number;
  renditions: RenditionPlan[];
  startSeconds: number;
};

/** One quality of the ladder. */
export type RenditionPlan = {
  name: string;
  width: number;
  height: number;
  crf: number;
  maxBitrate: number;
  bufferBits: number;
  profile: string;
  level: number;
  preset: string;
};

/** The audio track to make. */
export type AudioPlan = {
  streamIndex: number;
  sampleRate: number;
  channels: number;
  bitrate: number;
  language: string;
};

/** A finished stream: what the playlists are written from. */
export type StreamResult = {
  video: TrackResult[];
  audio?: TrackResult | undefined;
  poster: string;
};

/** A finished track, with its files `{name}/init.mp4` and `{name}/{n}.m4s`, n counted from 1. */
export type TrackResult = {
  name: string;
  codecs: string;
  timescale: number;
  width: number;
  height: number;
  frameRate?: Rational | undefined;
  sampleRate: number;
  channels: number;
  language: string;
  frames: number;
  initBytes: number;
  segments: Segment[];
  /** Decode time of the first sample, in the track's timescale. */
  start: number;
};

/** A media segment; `duration` in the track's timescale. */
export type Segment = { duration: number; bytes: number };
