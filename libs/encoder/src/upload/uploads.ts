import type { VideoRecord } from "../store/video.store.ts";

/** A video whose bytes come in. */
export type UploadedVideo = Pick<VideoRecord, "id" | "sizeBytes">;

/**
 * What has arrived of videos whose upload isn't complete: files beside the folder store, or multipart uploads of an S3 server. Nothing of it is in this
 * process's memory: another replica, or this one after a crash, goes on where `received` says.
 */
export type Uploads = {
  /** Bytes that are safely here, all of them once `finish` has made the source; 0 if nothing was ever sent. */
  received(videoId: string): Promise<number>;
  /** When the last bytes arrived; undefined if nothing was ever sent. */
  lastWrite(videoId: string): Promise<Date | undefined>;
  /**
   * Appends a request's bytes at `offset`, which must be what has been received; the answer is the new offset. Of a body that breaks off, what has arrived
   * stays. Bytes beyond the announced length undo the request as a whole. One writer at a time (upload-lock.ts); of two, one fails and nothing is lost.
   * @throws {TusError} 409 for another offset, 503 while the storage can't be reached, 507 when it is full
   */
  write(video: UploadedVideo, body: AsyncIterable<Uint8Array>, offset: number): Promise<number>;
  /** Makes the video's source of a complete upload, or finds that this was done. False if bytes are missing. By several at once and again after a crash, it is done once. */
  finish(video: UploadedVideo): Promise<boolean>;
  /** Removes what there is of an upload, but not the source that was made of it. */
  remove(videoId: string, signal?: AbortSignal): Promise<void>;
  /** The videos of which there is something. */
  list(): Promise<string[]>;
  /** Bytes that there is room for; undefined if nobody knows. */
  room(): Promise<number | undefined>;
};
