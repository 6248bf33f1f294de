import { TaskError } from "../task-error.ts";
import type { EncodePlan, TrackResult } from "../types.ts";
import type { AudioResult } from "./audio-track.ts";
import type { VideoResult } from "./video-track.ts";

/** Less than this part of the planned frames means that the source is broken, rather than flawed. */
const leastPart = 0.9;

/**
 * Checks a finished stream as a whole (each segment was checked when it was written): every rendition has each picture that the decoder gave, all start their segments at the same
 * times, and the sound is as long as the source's. Returns the fault, if there is one.
 */
export function verify(done: {
  plan: EncodePlan;
  pictures: Pick<VideoResult, "tracks" | "segmentStarts" | "frames" | "decodeErrors">;
  sound: Pick<AudioResult, "track" | "sourceEnd"> | undefined;
}): TaskError | undefined {
  const { plan, pictures, sound } = done;
  const planned = plan.video?.frameCount ?? 0;
  if (pictures.frames < planned * leastPart) {
    return new TaskError(
      "input",
      `Only ${pictures.frames} of the video's ${planned} pictures can be decoded: the file is damaged. Send it again, or another copy.`,
    );
  }
  const [first, ...others] = pictures.tracks;
  if (!first) return failed("there is no rendition");
  for (const track of pictures.tracks) {
    if (track.frames !== pictures.frames) {
      return failed(`${track.name} has ${track.frames} pictures of ${pictures.frames}`);
    }
  }
  const starts = pictures.segmentStarts.map((times) => times.join());
  if (new Set(starts).size !== 1) return failed("segments start at different times");
  for (const track of others) {
    if (ticks(track) !== ticks(first)) return failed(`${track.name} is not as long as ${first.name}`);
  }
  return sound && verifySound(sound);
}

/** Compares a track of sound with the source's. Returns the fault, if there is one. */
export function verifySound(sound: Pick<AudioResult, "track" | "sourceEnd">): TaskError | undefined {
  const { timescale } = sound.track;
  const seconds = ticks(sound.track) / timescale;
  // The priming samples before and, where the encoder had to fill its last frame, some after.
  const slack = (4 * 1024) / timescale + 0.05;
  if (Math.abs(seconds - sound.sourceEnd) > slack) {
    return failed(`the sound lasts ${seconds.toFixed(3)} s instead of ${sound.sourceEnd.toFixed(3)} s`);
  }
  return undefined;
}

function ticks(track: TrackResult): number {
  return track.segments.reduce((sum, segment) => sum + segment.duration, 0);
}

function failed(what: string): TaskError {
  return new TaskError("machine", `The stream failed its check: ${what}.`);
}
