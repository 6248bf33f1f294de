import { createHash, randomBytes } from "node:crypto";
import type {
  AudioPlan,
  ChunkPlan,
  ChunkResult,
  FrameTable,
  MediaInfo,
  RenditionPlan,
  TrackResult,
} from "@kinora/media";

/** What a worker would find in a short video with sound: 10 s, 24 frames a second. */
export const media: MediaInfo = {
  format: "mov,mp4,m4a,3gp,3g2,mj2",
  durationSeconds: 10,
  video: {
    streamIndex: 0,
    codec: "h264",
    width: 640,
    height: 360,
    rotation: 0,
    sampleAspectRatio: { num: 1, den: 1 },
    frameRate: { num: 24, den: 1 },
    variableFrameRate: false,
    frameCount: 240,
    pixelFormat: "yuv420p",
    colorTransfer: "bt709",
    interlaced: false,
    startSeconds: 0,
    fullRange: false,
    timeBase: { num: 1, den: 24 },
    startPts: 0n,
    frameCountExact: true,
    seekable: true,
  },
  audio: [{ streamIndex: 1, codec: "aac", sampleRate: 48_000, channels: 2, language: "und" }],
};

/** Every frame of that video. */
export const frameTable: FrameTable = {
  timeBase: { num: 1, den: 24 },
  frameCount: 240,
  startPts: 0n,
  endPts: 240n,
  runFrames: [240],
  runDeltas: [1n],
  keyframePts: [0n],
  sceneChanges: [],
  damage: [],
};

/** What a task makes: its result, and its files by path. */
export type Made<T> = { result: T; files: Map<string, Uint8Array> };

/** The initialisation segment of a track: the same whoever makes it. */
export function initSegment(name: string): Uint8Array {
  return createHash("sha512").update(name).digest();
}

function makeTrack(
  name: string,
  rest: Partial<TrackResult>,
  firstSegment: number,
  durations: readonly number[],
): { track: TrackResult; files: [string, Uint8Array][] } {
  const init = initSegment(name);
  const segments = durations.map((duration, index) => ({
    duration,
    bytes: 1000 + index,
    frames: duration,
    keyFrameBytes: 500,
  }));
  return {
    track: {
      name,
      codecs: "avc1.64001e",
      timescale: 24,
      width: 0,
      height: 0,
      sampleRate: 0,
      channels: 0,
      language: "",
      frames: 0,
      start: 0,
      ...rest,
      initBytes: init.length,
      initSha256: createHash("sha256").update(init).digest(),
      segments,
    },
    files: [
      [`${name}/init.mp4`, init],
      ...segments.map(({ bytes }, index): [string, Uint8Array] => [
        `${name}/${firstSegment + index}.m4s`,
        randomBytes(bytes),
      ]),
    ],
  };
}

/** A chunk of that video as its task asks for it, with files of random bytes. */
export function makeChunk(chunk: ChunkPlan, renditions: readonly RenditionPlan[]): Made<ChunkResult> {
  // There is nothing behind the end, whatever the chunk promises.
  const last = chunk.endPts === undefined || chunk.endPts > frameTable.endPts ? frameTable.endPts : chunk.endPts;
  const ends = [...chunk.segmentPts.slice(1), last];
  const durations = chunk.segmentPts.map((start, index) => Number((ends[index] ?? start) - start));
  const frames = durations.reduce((sum, duration) => sum + duration, 0);
  const made = renditions.map(({ name, width, height }) =>
    makeTrack(
      name,
      {
        width,
        height,
        frames,
        frameRate: { num: 24, den: 1 },
        quality: { frames: 10, xpsnrSum: 400, xpsnrMin: 38, ssimSum: 9.8, ssimMin: 0.97 },
      },
      chunk.firstSegment,
      durations,
    ),
  );
  return {
    result: {
      index: chunk.index,
      renditions: made.map(({ track }) => track),
      frames,
      firstPts: chunk.startPts,
      lastPts: chunk.startPts + BigInt(frames - 1),
      seconds: frames / 240,
      cpuSeconds: 0,
      start: chunk.startPts,
      end: chunk.startPts + BigInt(frames),
    },
    files: new Map(made.flatMap(({ files }) => files)),
  };
}

/** The sound of that video, with files of random bytes. */
export function makeAudio({ name = "audio", sampleRate, channels }: AudioPlan): Made<TrackResult> {
  const { track, files } = makeTrack(
    name,
    { codecs: "mp4a.40.2", timescale: sampleRate, sampleRate, channels, frames: 469 },
    1,
    [192_512, 191_488, 96_256],
  );
  return { result: track, files: new Map(files) };
}
