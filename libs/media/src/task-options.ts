import type {
  AudioPlan,
  ChunkPlan,
  ChunkResult,
  EncodePlan,
  FrameTable,
  ImagesResult,
  MediaInfo,
  StreamResult,
  TrackResult,
  TrialResult,
  VerificationReport,
  VideoPlan,
} from "./types.ts";

/**
 * Find out what a source contains: from its headers, or with `whole` from all of it, so that frame count, length and a variable rate are facts. `sourceUrl` is http(s) with range requests,
 * or a file's path.
 */
export type ProbeTask = { kind: "probe"; sourceUrl: string; whole?: boolean };

/** Make a whole stream of a source in one go: segments, initialisation segments and poster go to `outDir`, which must exist. */
export type EncodeTask = { kind: "encode"; sourceUrl: string; plan: EncodePlan; outDir: string };

/** Read all of a source without decoding it (where that is enough), and find every frame; with the plan of its head, also the scenes that the chunks to come may begin with. */
export type AnalyseTask = { kind: "analyse"; sourceUrl: string; media: MediaInfo; plan?: EncodePlan | undefined };

/** Encode a part of a source; segments and initialisation segments go to `outDir`. */
export type EncodeChunkTask = {
  kind: "encode-chunk";
  sourceUrl: string;
  chunk: ChunkPlan;
  video: VideoPlan;
  /** 1: every picture's quality is measured; 0: none's; n: that of a few in every nth segment, and at least in one. */
  qualityStride: number;
  outDir: string;
};

/** Make one whole track of sound. */
export type AudioTask = {
  kind: "audio";
  sourceUrl: string;
  audio: AudioPlan;
  startSeconds: number;
  segmentSeconds: number;
  outDir: string;
};

/** Make poster and storyboard. */
export type ImagesTask = {
  kind: "images";
  sourceUrl: string;
  video: VideoPlan;
  posterSeconds: number;
  durationSeconds: number;
  /** Longest side of a small picture in pixels. */
  tileSide: number;
  maxTiles: number;
  outDir: string;
};

/** Encode each sample of a source in each rendition of the plan, and measure. `outDir` is for files on the way. */
export type TrialTask = { kind: "trial"; sourceUrl: string; video: VideoPlan; samples: ChunkPlan[]; outDir: string };

/** Check a finished stream: `master.m3u8` and what it names lie below `streamUrl`. */
export type VerifyTask = { kind: "verify"; streamUrl: string; plan: EncodePlan; result: StreamResult };

/** Find the families of encoders that work on this machine, such as `cpu` and `nvenc`, by opening each. */
export type FamiliesTask = { kind: "families" };

export type MediaTask =
  | ProbeTask
  | EncodeTask
  | AnalyseTask
  | EncodeChunkTask
  | AudioTask
  | ImagesTask
  | TrialTask
  | VerifyTask
  | FamiliesTask;

/** What comes of each kind of task. */
type Results = {
  probe: MediaInfo;
  encode: StreamResult;
  analyse: FrameTable;
  "encode-chunk": ChunkResult;
  audio: TrackResult;
  images: ImagesResult;
  trial: TrialResult;
  verify: VerificationReport;
  families: string[];
};
export type ResultOf<Task extends MediaTask> = Results[Task["kind"]];
export type MediaResult = Results[keyof Results];

/** How far a task is. */
export type TaskProgress = {
  /** Source frames done. */
  frames: number;
  /** Part done, 0 to 1. */
  fraction: number;
  /** Seconds of video done per second of time; 0 while unknown. */
  speed: number;
};

/** Limits and listeners of a task. */
export type TaskOptions = {
  signal: AbortSignal;
  /** Names the video that the task is about. A child that has done a task well may do others of the same video (`prepareChildren`), but nobody else's; without it every task has a child of its own. */
  video?: string;
  /** The child is killed after this time, whatever it does. */
  timeLimitMs: number;
  /** The child is killed when nothing has moved for this long, other than by waiting for `onFile`. */
  noProgressMs: number;
  /** The child is killed when its resident memory grows beyond this. */
  memoryLimitBytes?: number;
  /** The task fails when its files together grow beyond this. */
  outputLimitBytes?: number;
  /** The most threads of the decoder and of an encoder, of which small renditions get fewer; as many as the cores make use of unless given. With 1, decoding, scaling and encoding have the one thread together. */
  threads?: number;
  /** How far the child stands back behind other processes, in steps of `nice` behind this one; 0 unless given. */
  niceness?: number;
  onProgress?: (progress: TaskProgress) => void;
  /** Given a function that tells the task of another address of its source, for when the first one ends. */
  onSource?: (listener: (url: string) => void) => void;
  /**
   * A finished file, by its path relative to `outDir` (such as `720p/1.m4s`) and its length. The file is the caller's from here on: it may be
   * deleted at once. The encode waits while too many promises returned from here are unsettled, so that a slow upload doesn't fill the disk; a rejection ends the task.
   */
  onFile?: (path: string, bytes: number) => void | Promise<void>;
  /** The track of an audio task as far as its files were announced. */
  onTrack?: (track: TrackResult) => void;
  /** Told when the task needs less and less of the machine, because all that is left is in the encoders (or with one thread, in files that are to be taken): the time to begin the next one. */
  onDraining?: () => void;
  /** Told several times a second how many bytes of memory the child has. */
  onMemory?: (bytes: number) => void;
};
