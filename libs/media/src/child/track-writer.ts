import { createHash } from "node:crypto";
import { initSegment, type TrackHeader } from "../mp4/init-segment.ts";
import { firstSampleEnd, mediaSegment, readMediaSegment, type Sample } from "../mp4/media-segment.ts";
import { codecBindings } from "../mp4/video-codec.ts";
import { TaskError } from "../task-error.ts";
import type { Segment } from "../types.ts";
import type { Delivery } from "./delivery.ts";

/** What a track's files turned out to be. */
export type WrittenTrack = {
  initBytes: number;
  initSha256: Uint8Array;
  segments: Segment[];
  frames: number;
  start: number;
};

/** Writes one track's files: `{name}/init.mp4` and `{name}/{n}.m4s`. */
export type TrackWriter = {
  /** Writes the next segment, whose first sample is decoded at `decodeTime`. */
  add(decodeTime: number, samples: Sample[]): Promise<void>;
  /** Frames and segments that are written. */
  progress(): { frames: number; segments: number };
  /** What was written so far. */
  finish(): WrittenTrack;
};

/**
 * Every segment is read back before it is handed over: it must begin where the one before ended, with a picture that needs no other, and hold what was put in.
 * Segments are counted from `firstSegment`.
 */
export async function createTrackWriter(
  name: string,
  header: TrackHeader,
  delivery: Delivery,
  firstSegment = 1,
): Promise<TrackWriter> {
  const init = initSegment(header);
  await delivery.deliver(`${name}/init.mp4`, init);
  const isKey = header.kind === "video" ? codecBindings[header.codec].isKey : () => true;
  const segments: Segment[] = [];
  let start: number | undefined;
  let next: number | undefined;
  let frames = 0;
  return {
    async add(decodeTime, samples) {
      const number = firstSegment + segments.length;
      const bytes = mediaSegment({ number, decodeTime, samples });
      const written = readMediaSegment(bytes);
      const [first] = written.samples;
      const duration = written.samples.reduce((sum, sample) => sum + sample.duration, 0);
      const problem =
        written.decodeTime !== (next ?? decodeTime)
          ? `starts at ${written.decodeTime} instead of ${next}`
          : !first?.sync || !isKey(Buffer.from(first.data))
            ? "does not start with a picture that needs no other"
            : written.samples.length !== samples.length || !(duration > 0)
              ? "does not hold its samples"
              : undefined;
      if (problem || !first)
        throw new TaskError("machine", `The stream failed its check: segment ${number} of ${name} ${problem}.`);
      start ??= decodeTime;
      next = decodeTime + duration;
      frames += samples.length;
      const keyFrameBytes = header.kind === "video" ? firstSampleEnd(bytes, first) : 0;
      segments.push({ duration, bytes: bytes.length, frames: samples.length, keyFrameBytes });
      await delivery.deliver(`${name}/${number}.m4s`, bytes);
    },
    progress: () => ({ frames, segments: segments.length }),
    finish: () => ({
      initBytes: init.length,
      initSha256: new Uint8Array(createHash("sha256").update(init).digest()),
      segments: [...segments],
      frames,
      start: start ?? 0,
    }),
  };
}
