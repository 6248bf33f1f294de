/** What the page asks for at `/videos/{id}/status.json`: how far a video is, for anybody who knows its address. */
export type VideoStatus = {
  /**
   * - `uploading`: bytes are missing, or no encode has been started;
   * - `waiting`: everything that there is to do waits for a worker;
   * - `encoding`: workers are at it;
   * - `ready`: the stream is whole;
   * - `failed`, `cancelled`: there is no stream, and nobody works on one. Why is for its owner alone (`GetEncode`).
   */
  state: "uploading" | "waiting" | "encoding" | "ready" | "failed" | "cancelled";
  /** Part of the encode that is done, 0 to 1. */
  fraction: number;
  /** Seconds of video encoded per second; 0 while unknown. */
  speed: number;
  /** Seconds left, estimated; absent while unknown. */
  remainingSeconds?: number;
  /** The renditions and tracks of sound that workers make, the largest first; none once the stream is whole. */
  tracks: TrackStatus[];
  /** Length of the source; 0 while unknown. */
  durationSeconds: number;
  /** The encode whose stream can be played, whole or from its beginning, below `/videos/{id}/{stream}/`; empty while there is none. */
  stream: string;
  /** When that stream's beginning was there, in RFC 3339; empty while there is none. An encode that begins anew has another stream at the same address, and another time here. */
  streamSince: string;
  /** Whether that stream has its pictures: `poster.jpg` and `storyboard.vtt`. */
  poster: boolean;
  storyboard: boolean;
};

/** How far one of a video's tracks is; its parts mean the same as those of the whole. */
export type TrackStatus = { name: string; fraction: number; speed: number; remainingSeconds?: number };
