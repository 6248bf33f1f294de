import { FFmpegError, PosixError } from "node-av/lib";
import { TaskError } from "../task-error.ts";

export const AVERROR_EAGAIN = FFmpegError.AVERROR(PosixError.EAGAIN);
export const AVERROR_EIO = FFmpegError.AVERROR(PosixError.EIO);
export const AVERROR_ENOMEM = FFmpegError.AVERROR(PosixError.ENOMEM);

/** Passes FFmpeg's positive answers on; a negative one (an error code) becomes a fault of the machine. */
export function check(code: number, doing: string): number {
  if (code < 0) throw new TaskError("machine", `FFmpeg failed to ${doing}: ${FFmpegError.strerror(code)}.`);
  return code;
}

/** What FFmpeg may have returned as null where there was no memory or no such part. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new TaskError("machine", `FFmpeg has no ${what}.`);
  return value;
}
