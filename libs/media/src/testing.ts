/** What decoding one track of a stream gave. */
export type InspectedTrack = {
  /** Folder of the track, such as `720p` or `audio`. */
  name: string;
  kind: "video" | "audio";
  /** Decoded frames (video) or samples per channel (audio). */
  frames: number;
  /** From the first presentation time to the end of the last frame, in seconds. */
  durationSeconds: number;
  /** Presentation time of the first frame in seconds. */
  firstSeconds: number;
  width: number;
  height: number;
  sampleRate: number;
  channels: number;
  /** Presentation times of the video frames in seconds; empty for audio. */
  frameTimes: number[];
  /** Errors that the decoder reported; none in a good stream. */
  errors: string[];
};

/** Decodes every track of a stream folder (as `kinora encode --out` leaves it) to the end, in a child process. */
export function inspectStream(folder: string, options?: { signal?: AbortSignal }): Promise<InspectedTrack[]> {
  return Promise.reject(new Error(`not written yet: ${folder} ${options?.signal ? "with signal" : ""}`));
}
