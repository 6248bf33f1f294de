import { type ByteSource, openByteSource } from "../source/byte-source.ts";
import type { MediaResult, MediaTask } from "../task-options.ts";
import type { TrackResult } from "../types.ts";
import { analyse } from "./analyse.ts";
import { encodeAudio } from "./audio.ts";
import type { Delivery } from "./delivery.ts";
import { encode } from "./encode.ts";
import { encodeChunk } from "./encode-chunk.ts";
import { findFamilies } from "./families.ts";
import { makeImages } from "./images.ts";
import { probe } from "./probe.ts";
import { probeWhole } from "./probe-whole.ts";
import { runTrial } from "./trial.ts";
import { verifyStream } from "./verify-stream.ts";

/** Told now and then how far a task is. */
export type ProgressListener = (progress: { frames: number; fraction: number; mediaSeconds?: number }) => void;

/** What every task is done with. */
export type Surroundings = {
  /** Where the source is now. */
  sourceUrl: () => string;
  delivery: Delivery;
  /** The most threads of the decoder and of an encoder; 0 for as many as the cores make use of, 1 for one thread for all of them together. */
  threads: number;
  onProgress: ProgressListener;
  onTrack: (track: TrackResult) => void;
  onDraining: () => void;
};

type SourceTask = Exclude<MediaTask, { kind: "verify" | "families" }>;

/** Does a task. Rejects with a `TaskError` where it knows who is at fault. */
export async function perform(task: MediaTask, around: Surroundings): Promise<MediaResult> {
  if (task.kind === "verify") return verifyStream({ ...task, onProgress: around.onProgress });
  if (task.kind === "families") return findFamilies();
  const source = await openByteSource(around.sourceUrl);
  try {
    return await performOn(source, task, around);
  } finally {
    await source.close();
  }
}

function performOn(source: ByteSource, task: SourceTask, around: Surroundings): Promise<MediaResult> {
  switch (task.kind) {
    case "probe":
      return task.whole ? probeWhole(source, around.onProgress) : probe(source);
    case "encode":
      return encode({ ...around, source, plan: task.plan });
    case "analyse":
      return analyse(source, task, around.onProgress);
    case "encode-chunk":
      return encodeChunk({ ...around, ...task, source, folder: task.outDir });
    case "audio":
      return encodeAudio({ ...around, ...task, source });
    case "images":
      return makeImages({ ...around, ...task, source });
    case "trial":
      return runTrial({ ...around, ...task, source, folder: task.outDir });
  }
}
