import { AV_NOPTS_VALUE, AV_PKT_FLAG_DISCARD } from "node-av/constants";
import { Packet, type Stream } from "node-av/lib";
import type { Demuxer } from "./demuxer.ts";
import { createFrameTimes, type FrameTimesSummary } from "./frame-times.ts";
import { isShown, openSample, type Sample } from "./sample.ts";

/** What all packets of a source say, and its first pictures. */
export type Scan = Sample & {
  times: FrameTimesSummary;
  /** Where the last packet of each audio track ends, in seconds, by stream index. */
  audioEnds: Map<number, number>;
  /** Packets of the video track, hidden ones too. */
  packets: number;
  /** Where the last packet of any track ends, in seconds. */
  end: number;
};

/** Reads every packet; decodes only the first pictures. */
export async function scanPackets(
  demuxer: Demuxer,
  video: Stream,
  audio: Stream[],
  onFrames: (frames: number) => void,
): Promise<Scan> {
  demuxer.select([video, ...audio]);
  const times = createFrameTimes(video.timeBase, [video.avgFrameRate, video.rFrameRate]);
  const sample = await openSample(video);
  const packet = new Packet();
  packet.alloc();
  let frames = 0;
  let packets = 0;
  let end = 0;
  const audioEnds = new Map<number, number>();
  while (await demuxer.read(packet)) {
    const stream =
      packet.streamIndex === video.index ? video : audio.find((track) => track.index === packet.streamIndex);
    const time = packet.pts !== AV_NOPTS_VALUE ? packet.pts : packet.dts;
    const known = time !== AV_NOPTS_VALUE;
    const unit = stream ? stream.timeBase.num / stream.timeBase.den : 0;
    const seconds = known ? Number(time) * unit : 0;
    const until = known ? seconds + Number(packet.duration) * unit : 0;
    end = Math.max(end, until);
    const isHidden = packet.hasFlags(AV_PKT_FLAG_DISCARD);
    if (stream === video) {
      packets++;
      if (!isHidden && isShown(packet, video)) {
        times.add(known ? Number(time) : undefined, Number(packet.duration));
        frames++;
      }
      await sample.add(packet, isHidden);
      if (packets % 100 === 0) onFrames(frames);
    } else if (stream && known && !isHidden) {
      audioEnds.set(stream.index, Math.max(audioEnds.get(stream.index) ?? until, until));
    }
    packet.unref();
  }
  packet.free();
  const sampled = await sample.finish();
  return { ...sampled, times: times.summary(), audioEnds, packets, end };
}
