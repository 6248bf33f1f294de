/** What the page asks for at `/videos/{id}/status.json`: how far a video is, for anybody who knows its address. */
export type VideoStatus = {
  /**
   * - `uploading`: bytes are missing, or no encode has been started;
   * - `waiting`: everything that there is to do waits for a worker;
   * - `encoding`: workers are at it;
   * - `ready`: the stream is whole;
   * - `failed`, `cancelled`: there is no stream, and nobody works on one.
   */
  state: "uploading" | "waiting" | "encoding" | "ready" | "failed" | "cancelled";
  /** Part of the encode that is done, 0 to 1. */
  fraction: number;
  /** Length of the source; 0 while unknown. */
  durationSeconds: number;
  /** Why it failed: a sentence for people. Empty unless it did. */
  reason: string;
  /** The encode whose stream can be played, whole or from its beginning, below `/videos/{id}/{stream}/`; empty while there is none. */
  stream: string;
  /** Whether that stream has its pictures: `poster.jpg` and `storyboard.vtt`. */
  poster: boolean;
  storyboard: boolean;
};
