/** Where a `kinora encode` stands, from the first byte sent to the last one brought home. */
export type Progress = {
  phase: Phase;
  /** Part of the phase that is done, 0 to 1. */
  fraction: number;
  /** Bytes (upload, download) that are done, and all of them. */
  bytes?: { done: number; total: number };
  /** Bytes per second (upload, download), or seconds of video per second (encode); 0 while unknown. */
  speed: number;
  /** Seconds left in this phase; undefined while unknown. */
  remainingSeconds?: number | undefined;
  /** More to say of it, such as `7 of 12 chunks`. */
  details?: readonly string[];
  /** Where each rendition and track of sound stands (encode). */
  tracks?: readonly TrackShare[];
  /** The server doesn't answer at the moment. */
  waiting: boolean;
};

/** How far a track is, for programs and in a line. */
export type TrackShare = { name: string; fraction: number; speed: number; remainingSeconds?: number | undefined };

/** The parts of the way; an encode waits for a worker before each of its steps. */
export type Phase = "upload" | "queue" | "probe" | "encode" | "verify" | "download";

/** How much of the whole bar each part takes: encoding is nearly always the longest. */
const share = { upload: 0.2, encode: 0.8, download: 0.1 };

/** Part of the whole way that is done, 0 to 1. `parts` are those that this run has. */
export function wholeFraction(
  progress: Pick<Progress, "phase" | "fraction">,
  parts: { upload: boolean; download: boolean },
): number {
  const upload = parts.upload ? share.upload : 0;
  const download = parts.download ? share.download : 0;
  const total = upload + share.encode + download;
  const done = {
    upload: upload * progress.fraction,
    queue: upload,
    probe: upload,
    encode: upload + share.encode * progress.fraction,
    verify: upload + share.encode * progress.fraction,
    download: upload + share.encode + download * progress.fraction,
  }[progress.phase];
  return Math.min(1, Math.max(0, done / total));
}
