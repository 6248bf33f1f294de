/** For tests of whole streams. Decodes in a child process, so that tests needn't load FFmpeg either. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export { type MediaSpec, makeMedia } from "./make-media.ts";

/** What decoding one track of a stream gave. Times in seconds. */
export type InspectedTrack = {
  /** Folder of the track, such as `720p` or `audio`. */
  name: string;
  kind: "video" | "audio";
  /** Decoded frames (video) or samples per channel (audio). */
  frames: number;
  /** Presentation time of the first frame or sample. */
  firstSeconds: number;
  /** From there to the end of the last frame. */
  durationSeconds: number;
  width: number;
  height: number;
  sampleRate: number;
  channels: number;
  /** Video: presentation time of each frame. */
  frameTimes: number[];
  /** Video: presentation times of the pictures that decoding can start at. */
  keyTimes: number[];
  /** Video: mean brightness of each frame, 0 to 1. */
  brightness: number[];
  /** Video: brightness of the first frame's corners, clockwise from the top left. */
  corners: number[];
  /** Audio: the loudest sample of each hundredth of a second from time 0 on, 0 to 1. */
  levels: number[];
  /** What the demuxer and the decoder complained about; nothing in a good stream. */
  errors: string[];
};

/** Decodes every track of a stream folder (as `kinora encode --out` leaves it) to the end. */
export function inspectStream(folder: string, options: { signal?: AbortSignal } = {}): Promise<InspectedTrack[]> {
  return inspect({ folder }, options.signal);
}

/** Decodes the best video and audio track of any file. */
export function inspectFile(file: string, options: { signal?: AbortSignal } = {}): Promise<InspectedTrack[]> {
  return inspect({ file }, options.signal);
}

/** Decodes a JPEG picture. */
export async function inspectPicture(
  file: string,
): Promise<Pick<InspectedTrack, "width" | "height" | "brightness" | "corners">> {
  const [picture] = await inspect({ picture: file });
  if (!picture) throw new Error(`${file} holds no picture`);
  return picture;
}

/** What the child is asked. */
export type InspectRequest = { folder: string } | { file: string } | { picture: string };

async function inspect(request: InspectRequest, signal?: AbortSignal): Promise<InspectedTrack[]> {
  const child = fork(fileURLToPath(new URL("./inspect-child.ts", import.meta.url)), [], {
    execArgv: [],
    env: {},
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    ...(signal ? { signal, killSignal: "SIGKILL" } : {}),
  });
  child.send(request);
  let answer: { tracks: InspectedTrack[] } | { error: string } | undefined;
  child.on("message", (message: { tracks: InspectedTrack[] } | { error: string }) => {
    answer = message;
    child.kill("SIGKILL");
  });
  await once(child, "close");
  if (answer && "tracks" in answer) return answer.tracks;
  throw new Error(answer ? answer.error : "the process that inspects the stream ended without an answer");
}
