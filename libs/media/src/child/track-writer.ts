import { isIdrSample } from "../mp4/avc.ts";
import { initSegment, type TrackHeader } from "../mp4/init-segment.ts";
import { mediaSegment, readMediaSegment, type Sample } from "../mp4/media-segment.ts";
import { TaskError } from "../task-error.ts";
import type { Segment } from "../types.ts";
import type { Delivery } from "./delivery.ts";

/** What a track's files turned out to be. */
export type WrittenTrack = { initBytes: number; segments: Segment[]; frames: number; start: number };

/** Writes one track's files: `{name}/init.mp4` and `{name}/{n}.m4s`. */
export type TrackWriter = {
  /** Writes the next segment, whose first sample is decoded at `decodeTime`. */
  add(decodeTime: number, samples: Sample[]): Promise<void>;
  finish(): WrittenTrack;
};

/**
 * Every segment is read back before it is handed over: it must begin where the one before ended, with a picture that needs no other, and hold what was put in.
 */
export async function createTrackWriter(name: string, header: TrackHeader, delivery: Delivery): Promise<TrackWriter> {
  const init = initSegment(header);
  await delivery.deliver(`${name}/init.mp4`, init);
  const segments: Segment[] = [];
  let start: number | undefined;
  let next: number | undefined;
  let frames = 0;
  return {
    async add(decodeTime, samples) {
      const number = segments.length + 1;
      const bytes = mediaSegment({ number, decodeTime, samples });
      const written = readMediaSegment(bytes);
      const [first] = written.samples;
      const duration = written.samples.reduce((sum, sample) => sum + sample.duration, 0);
      const problem =
        written.decodeTime !== (next ?? decodeTime)
          ? `starts at ${written.decodeTime} instead of ${next}`
          : !first?.sync || (header.kind === "video" && !isIdrSample(Buffer.from(first.data)))
            ? "does not start with a picture that needs no other"
            : written.samples.length !== samples.length || !(duration > 0)
              ? "does not hold its samples"
              : undefined;
      if (problem)
        throw new TaskError("machine", `The stream failed its check: segment ${number} of ${name} ${problem}.`);
      start ??= decodeTime;
      next = decodeTime + duration;
      frames += samples.length;
      segments.push({ duration, bytes: bytes.length });
      await delivery.deliver(`${name}/${number}.m4s`, bytes);
    },
    finish: () => ({ initBytes: init.length, segments, frames, start: start ?? 0 }),
  };
}
