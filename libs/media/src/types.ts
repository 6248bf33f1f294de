/**
 * What a source contains, what is made from it, and what came of it: plain objects with the same fields as the messages of
 * `proto/encoder/v1/media.proto`, so that services pass them on without mapping (`types.test.ts` holds the two together). The contract
 * describes each field. A `pts` is a bigint in units of the track's time base. Fields that may be missing are those that data of an earlier release lacks.
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
  timeBase?: Rational | undefined;
  startPts?: bigint;
  frameCountExact?: boolean;
  colorPrimaries?: number;
  colorMatrix?: number;
  seekable?: boolean;
  packetsAreFrames?: boolean;
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
  audioTracks?: AudioPlan[];
  chunks?: ChunkPlan[];
  complete?: boolean;
  settings?: EncodeSettings | undefined;
  fleet?: Fleet | undefined;
  ladder?: LadderChoice | undefined;
  profile?: string;
};

/** How a video is encoded, as profiles and requests state it. */
export type EncodeSettings = {
  codec?: string | undefined;
  /** `fixed` or `per-title`. */
  ladder?: string | undefined;
  rungs?: Rung[];
  preset?: string | undefined;
  crf?: number | undefined;
  qualityTarget?: number | undefined;
  segmentSeconds?: number | undefined;
  audioBitrate?: number | undefined;
  encoder?: string | undefined;
};

/** A step of a ladder: the box that a rendition fills without being enlarged, turned for portrait. */
export type Rung = { name: string; longSide: number; shortSide: number; maxBitrate: number };

/** The workers at the time of planning. */
export type Fleet = { slots: number; framesPerSecond: number; encoders: string[] };

/** A part of a source: the frames with `startPts` ≤ PTS < `endPts`. */
export type ChunkPlan = {
  index: number;
  startPts: bigint;
  endPts?: bigint | undefined;
  segmentPts: bigint[];
  firstSegment: number;
  frameCount: number;
  firstFrame: number;
  seekPts?: bigint | undefined;
  sceneChange: boolean;
};

/** Every frame of a source, run-length coded. */
export type FrameTable = {
  timeBase?: Rational | undefined;
  frameCount: number;
  startPts: bigint;
  endPts: bigint;
  runFrames: number[];
  runDeltas: bigint[];
  keyframePts: bigint[];
  sceneChanges: SceneChange[];
  damage: Damage[];
  approximate?: boolean;
  lastCutPts?: bigint | undefined;
};

/** A cut in the picture; `score` from 0 to 1. */
export type SceneChange = { pts: bigint; score: number };

/** Something broken in a source. */
export type Damage = { pts: bigint; message: string };

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
  timeBase?: Rational | undefined;
  startPts?: bigint;
  timescale?: number;
  colorPrimaries?: number;
  colorTransfer?: number;
  colorMatrix?: number;
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
  codec?: string;
  encoder?: string;
  pixelFormat?: string;
};

/** The audio track to make. */
export type AudioPlan = {
  streamIndex: number;
  sampleRate: number;
  channels: number;
  bitrate: number;
  language: string;
  name?: string;
};

/** A finished stream: what the playlists are written from. */
export type StreamResult = {
  video: TrackResult[];
  audio?: TrackResult | undefined;
  poster: string;
  audioTracks?: TrackResult[];
  storyboard?: Storyboard | undefined;
};

/** Small pictures taken at equal distances, many to a file. */
export type Storyboard = {
  width: number;
  height: number;
  columns: number;
  rows: number;
  intervalSeconds: number;
  count: number;
  files: string[];
  vtt: string;
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
  initSha256?: Uint8Array;
  quality?: Quality | undefined;
  isDefault?: boolean;
};

/** A media segment; `duration` in the track's timescale. */
export type Segment = { duration: number; bytes: number; frames?: number; keyFrameBytes?: number };

/** Measured quality, as sums over the measured frames: those of two chunks add up. */
export type Quality = {
  frames: number;
  xpsnrSum: number;
  xpsnrMin: number;
  ssimSum: number;
  ssimMin: number;
  vmafSum?: number | undefined;
};

/** What came of one chunk: a part of each of its renditions. */
export type ChunkResult = {
  index: number;
  renditions: TrackResult[];
  frames: number;
  firstPts: bigint;
  lastPts: bigint;
  seconds: number;
  cpuSeconds: number;
  start?: bigint;
  end?: bigint;
};

/** Poster and storyboard. */
export type ImagesResult = { poster: string; storyboard?: Storyboard | undefined };

/** What one way of encoding costs and gives. */
export type RatePoint = {
  width: number;
  height: number;
  crf: number;
  bitrate: number;
  quality?: Quality | undefined;
};

/** What the trials gave. */
export type TrialResult = { points: RatePoint[] };

/** How a ladder was chosen for one video. */
export type LadderChoice = { points: RatePoint[]; hull: RatePoint[]; qualityTarget: number; reason: string };

/** What the verification of a finished stream found. */
export type VerificationReport = { passed: boolean; checks: Check[]; decodedFrames: number; seconds: number };

/** One check of a stream. */
export type Check = {
  name: string;
  /** `passed`, `noted` or `failed`. */
  outcome: string;
  detail: string;
  track: string;
  /** Segments of video at fault, counted from 1, as far as a failed check can tell. */
  segments?: number[];
};
