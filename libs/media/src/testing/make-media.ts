/** Makes small videos with known content for tests, in a child process. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/**
 * A video to make. Its pictures are dark, with a bright top left corner, except for a flash; its sound is silent except for a beep at the same time.
 */
export type MediaSpec = {
  path: string;
  /** FFmpeg's name of the muxer; by the path's ending unless given. */
  format?: string;
  /** From and to, in seconds after the first picture. */
  flash: [from: number, to: number];
  video?: {
    /** FFmpeg's name of the encoder. */
    codec: string;
    width: number;
    height: number;
    frameRate: { num: number; den: number };
    /** Number of frames at an even distance, or the time of each in seconds. */
    frames: number | number[];
    /** Where the video begins, in seconds. */
    startSeconds?: number;
    /** Units of the times; 1/90000 unless given. */
    timeBase?: { num: number; den: number };
    pixelFormat?: string;
    /** Clockwise turn that players must apply. */
    rotation?: number;
    sampleAspectRatio?: { num: number; den: number };
    isInterlaced?: boolean;
    /** Colour as in ITU-T H.273. */
    colour?: { primaries: number; transfer: number; matrix: number };
    fullRange?: boolean;
    options?: Record<string, string | number>;
  };
  audio?: {
    codec: string;
    sampleRate: number;
    channels: number;
    seconds: number;
    startSeconds?: number;
    /** No packets are written between these times. */
    pause?: [from: number, to: number];
    options?: Record<string, string | number>;
    language?: string;
    /** How many tracks like this one there are; 1 unless given. */
    tracks?: number;
  };
  muxerOptions?: Record<string, string | number>;
};

export async function makeMedia(...specs: MediaSpec[]): Promise<void> {
  const child = fork(fileURLToPath(new URL("./make-media-child.ts", import.meta.url)), [], {
    execArgv: [],
    env: {},
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  child.send(specs);
  let error: string | undefined = "the process that makes media ended early";
  child.on("message", (message: { error?: string }) => {
    error = message.error;
    child.kill("SIGKILL");
  });
  await once(child, "close");
  if (error !== undefined) throw new Error(error);
}
