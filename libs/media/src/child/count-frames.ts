import { Packet, type Stream } from "node-av/lib";
import { frameTime, openDecoder } from "./decoder.ts";
import type { Demuxer } from "./demuxer.ts";
import { createFrameTimes, type FrameTimesSummary } from "./frame-times.ts";
import { refuseIfTooMany } from "./scan.ts";

/** Decodes a whole track and gives the times of what comes out, in the order of presentation: the truth where a packet isn't always a frame. */
export async function countFrames(
  demuxer: Demuxer,
  video: Stream,
  onFrames: (frames: number) => void,
): Promise<{ times: FrameTimesSummary; frameTimes: number[] }> {
  demuxer.select([video]);
  const frameTimes: number[] = [];
  const times = createFrameTimes(
    video.timeBase,
    [video.avgFrameRate, video.rFrameRate],
    (time) => void frameTimes.push(time),
  );
  const decoder = await openDecoder(video);
  const packet = new Packet();
  packet.alloc();
  let frames = 0;
  const count = async (from: Packet | null) => {
    for await (const frame of decoder.decode(from)) {
      const time = frameTime(frame);
      times.add(time === undefined ? undefined : Number(time), Number(frame.duration));
      frame.free();
      refuseIfTooMany(++frames);
      if (frames % 100 === 0) onFrames(frames);
    }
  };
  while (await demuxer.read(packet)) {
    if (packet.streamIndex === video.index) await count(packet);
    packet.unref();
  }
  await count(null);
  packet.free();
  decoder.close();
  return { times: times.summary(), frameTimes };
}
