import { AV_CODEC_ID_VP8, AV_NOPTS_VALUE, AV_PKT_FLAG_DISCARD } from "node-av/constants";
import { Packet, type Stream } from "node-av/lib";
import { frameTime, openDecoder } from "./decoder.ts";
import type { Demuxer } from "./demuxer.ts";
import { createFrameTimes, type FrameTimesSummary } from "./frame-times.ts";
import { type PictureFacts, pictureFacts } from "./picture.ts";

/** Packets decoded to learn what pictures are like, and whether each packet is one. */
const samplePackets = 64;

/** What decoding a track's first packets tells. */
export type Sample = {
  /** Facts of the first picture; undefined if none could be decoded. */
  facts: PictureFacts | undefined;
  /** When the first picture that can be decoded is shown, in units of the stream. */
  firstPicture: number | undefined;
  /** Whether each shown packet is one frame. Otherwise only decoding tells how many there are. */
  packetsAreFrames: boolean;
};

/** VP8 has packets that are only for reference (RFC 6386, 9.1: `show_frame`); in all other formats a packet shows a picture. */
export function isShown(packet: Packet, stream: Stream): boolean {
  if (stream.codecpar.codecId !== AV_CODEC_ID_VP8) return true;
  const [first = 0] = packet.data?.subarray(0, 1) ?? [];
  return (first & 0x10) !== 0;
}

/** Reads and decodes a track's first packets. */
export async function readSample(demuxer: Demuxer, video: Stream): Promise<Sample & { times: FrameTimesSummary }> {
  demuxer.select([video]);
  const sample = await openSample(video);
  const seen: { time: number; duration: number }[] = [];
  const packet = new Packet();
  packet.alloc();
  let isWhole = false;
  let decodedUntil = Number.POSITIVE_INFINITY;
  while (!sample.isFull()) {
    isWhole = !(await demuxer.read(packet));
    if (isWhole) break;
    if (packet.streamIndex === video.index) {
      const isHidden = packet.hasFlags(AV_PKT_FLAG_DISCARD);
      if (packet.dts !== AV_NOPTS_VALUE) decodedUntil = Number(packet.dts);
      if (!isHidden && isShown(packet, video) && packet.pts !== AV_NOPTS_VALUE) {
        seen.push({ time: Number(packet.pts), duration: Number(packet.duration) });
      }
      await sample.add(packet, isHidden);
    }
    packet.unref();
  }
  packet.free();
  // Of later times some are still to come, since packets are in the order of decoding: a hole there is no pause.
  const known = isWhole ? seen : seen.filter(({ time }) => time <= decodedUntil);
  const times = createFrameTimes(video.timeBase, [video.avgFrameRate, video.rFrameRate]);
  for (const { time, duration } of known) times.add(time, duration);
  return { ...(await sample.finish()), times: times.summary() };
}

/** Opens a decoder for the track's first packets; `finish` tells what came of them. */
async function openSample(video: Stream) {
  const decoder = await openDecoder(video);
  let packets = 0;
  let frames = 0;
  let interlaced = 0;
  let facts: PictureFacts | undefined;
  let firstPicture: number | undefined;
  let isOpen = true;

  const decode = async (packet: Packet | null) => {
    for await (const frame of decoder.decode(packet)) {
      frames++;
      facts ??= pictureFacts(frame, video);
      const time = frameTime(frame);
      if (time !== undefined) firstPicture = Math.min(firstPicture ?? Number.POSITIVE_INFINITY, Number(time));
      if (pictureFacts(frame, video).interlaced) interlaced++;
      frame.free();
    }
  };
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    await decode(null);
    decoder.close();
  };
  return {
    /** Whether it has seen enough. */
    isFull: () => !isOpen,
    async add(packet: Packet, isHidden: boolean) {
      if (!isOpen) return;
      if (!isHidden && isShown(packet, video)) packets++;
      await decode(packet);
      // A damaged beginning may hide the first picture for a while.
      if (packets >= samplePackets && (frames > 0 || packets >= samplePackets * 20)) await close();
    },
    async finish(): Promise<Sample> {
      await close();
      const isInterlaced = interlaced * 2 > frames;
      return {
        facts: facts && { ...facts, interlaced: isInterlaced },
        firstPicture,
        // Fields may come in packets of their own, at any place, so interlaced tracks are counted picture by picture.
        packetsAreFrames: frames === packets && !isInterlaced,
      };
    },
  };
}
