import { AV_NOPTS_VALUE, AV_PKT_FLAG_DISCARD } from "node-av/constants";
import { Packet, type Stream } from "node-av/lib";
import { limits } from "../plan/plan-encode.ts";
import { TaskError } from "../task-error.ts";
import type { Demuxer } from "./demuxer.ts";
import { createFrameTimes, type FrameTimesSummary } from "./frame-times.ts";
import { isShown } from "./sample.ts";

/** What all packets of a source say. Times in units of the video track, if not said otherwise. */
export type Scan = {
  times: FrameTimesSummary;
  /** Time of every packet that is shown, in the order of presentation. */
  frameTimes: number[];
  /** Times of the packets that decoding can begin at. */
  keyframes: number[];
  /** Where the last packet of each audio track ends, in seconds, by stream index. */
  audioEnds: Map<number, number>;
  /** Packets of the video track, hidden ones too. */
  packets: number;
  /** Those of them that hold something to show: empty ones repeat the picture before. */
  coded: number;
  /** Packets of it that carry no time. */
  untimed: number;
  /** The last key frame before the container's clock started anew. */
  lastCut: number | undefined;
  /** Where the last packet of any track ends, in seconds. */
  end: number;
};

/** Key frames are counted up to here; sources of key frames alone have one in every place anyway. */
const maxKeyframes = 500_000;

/** Ends the reading of a track that has more than the plan would take, before its times fill the memory. */
export function refuseIfTooMany(frames: number): void {
  if (frames > limits.frames)
    throw new TaskError("input", `The video has more than ${limits.frames} pictures, and Kinora takes no more.`);
}

/** Reads every packet of the tracks, and decodes nothing. */
export async function scanPackets(
  demuxer: Demuxer,
  video: Stream,
  audio: Stream[],
  onFrames: (frames: number) => void,
): Promise<Scan> {
  demuxer.select([video, ...audio]);
  const frameTimes: number[] = [];
  const times = createFrameTimes(
    video.timeBase,
    [video.avgFrameRate, video.rFrameRate],
    (time) => void frameTimes.push(time),
  );
  const packet = new Packet();
  packet.alloc();
  const keyframes: number[] = [];
  let frames = 0;
  let packets = 0;
  let coded = 0;
  let untimed = 0;
  let lastCut: number | undefined;
  let end = 0;
  const audioEnds = new Map<number, number>();
  // Asked once: each answer is an object of its own.
  const units = new Map([video, ...audio].map(({ index, timeBase }) => [index, timeBase.num / timeBase.den]));
  const { index: videoIndex } = video;
  while (await demuxer.read(packet)) {
    const { streamIndex, pts } = packet;
    const unit = units.get(streamIndex) ?? 0;
    const time = pts !== AV_NOPTS_VALUE ? pts : packet.dts;
    const known = time !== AV_NOPTS_VALUE;
    const seconds = known ? Number(time) * unit : 0;
    const until = known ? seconds + Number(packet.duration) * unit : 0;
    end = Math.max(end, until);
    if (demuxer.jumped()) lastCut ??= keyframes.at(-1) ?? Number.MIN_SAFE_INTEGER;
    const isHidden = packet.hasFlags(AV_PKT_FLAG_DISCARD);
    if (streamIndex === videoIndex) {
      packets++;
      if (packet.isKeyframe && known && keyframes.length < maxKeyframes) keyframes.push(Number(time));
      if (!isHidden && isShown(packet, video)) {
        if (packet.size > 0) coded++;
        if (pts === AV_NOPTS_VALUE) untimed++;
        times.add(known ? Number(time) : undefined, Number(packet.duration));
        refuseIfTooMany(++frames);
      }
      if (packets % 100 === 0) onFrames(frames);
    } else if (units.has(streamIndex) && known && !isHidden) {
      audioEnds.set(streamIndex, Math.max(audioEnds.get(streamIndex) ?? until, until));
    }
    packet.unref();
  }
  packet.free();
  return { times: times.summary(), frameTimes, keyframes, audioEnds, packets, coded, untimed, lastCut, end };
}
