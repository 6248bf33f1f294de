import { AV_NOPTS_VALUE, AVERROR_EOF, AVMEDIA_TYPE_AUDIO } from "node-av/constants";
import { Codec, CodecContext, Dictionary, type Frame, type Packet, type Stream } from "node-av/lib";
import { TaskError } from "../task-error.ts";
import { AVERROR_EAGAIN, AVERROR_ENOMEM, check } from "./av.ts";
import { decoderPixels } from "./demuxer.ts";
import { createFrameSupply } from "./frame-supply.ts";

/** A decoder of one stream. */
export type Decoder = {
  /** Decodes a packet; `null` after the last one gives what is left. The receiver frees the frames. */
  decode(packet: Packet | null): AsyncGenerator<Frame, void, undefined>;
  /** Whether packets to come may be passed over, where no other picture refers to theirs; for pictures that nobody wants. */
  passOver(isOn: boolean): void;
  /** Packets and pictures that could not be decoded so far. */
  errors(): number;
  close(): void;
};

/** Whether FFmpeg has a decoder for the stream, and the stream says enough about itself to be decoded. */
export function isDecodable(stream: Stream): boolean {
  return Codec.findDecoder(stream.codecpar.codecId) !== null;
}

/**
 * Opens a decoder that uses this many threads, all cores for 0. Rejects with `input` if there is none for the stream. `isRough`: blocks aren't smoothed, for pictures that nobody will see; a fifth of the
 * work is saved where the format smooths. `isSync`: it decodes in the thread that calls it.
 */
export async function openDecoder(
  stream: Stream,
  threads = 0,
  { isRough = false, isSync = false } = {},
): Promise<Decoder> {
  const codec = Codec.findDecoder(stream.codecpar.codecId);
  if (!codec) throw new TaskError("input", "A track of this video is in a format that Kinora cannot read.");
  const context = new CodecContext();
  context.allocContext3(codec);
  check(context.parametersToContext(stream.codecpar), "prepare a decoder");
  context.pktTimebase = stream.timeBase;
  context.threadCount = threads;
  if (isRough) check(context.setOption("skip_loop_filter", "all"), "choose how to decode");
  const opened = await context.open2(codec, Dictionary.fromObject({ max_pixels: decoderPixels }));
  if (opened === AVERROR_ENOMEM) check(opened, "open a decoder");
  if (opened < 0) throw new TaskError("input", `The ${codec.longName ?? codec.name} track of this video is damaged.`);

  // A packet of sound is less work than handing it to another thread.
  const isSound = stream.codecpar.codecType === AVMEDIA_TYPE_AUDIO;
  const isHandedOver = !isSound && !isSync;
  let errors = 0;
  let passesOver = false;
  const frames = createFrameSupply();
  async function* receive(isEnd: boolean): AsyncGenerator<Frame, void, undefined> {
    // Errors are skipped, but not without end.
    let inARow = 0;
    for (;;) {
      const frame = frames.take();
      // The work was done when the packet was sent; only at the end there is more of it.
      const code = isEnd && !isSound ? await context.receiveFrame(frame) : context.receiveFrameSync(frame);
      if (code >= 0) {
        yield frame;
        continue;
      }
      frames.giveBack(frame);
      if (code === AVERROR_EAGAIN || code === AVERROR_EOF) return;
      if (code === AVERROR_ENOMEM) check(code, "decode");
      errors++;
      if (++inARow > 100) return;
    }
  }
  return {
    async *decode(packet) {
      // A packet without a byte carries no picture; to the decoder it would mean the end.
      if (packet && packet.size === 0) return;
      const code = isHandedOver ? await context.sendPacket(packet) : context.sendPacketSync(packet);
      if (code === AVERROR_ENOMEM) check(code, "decode");
      if (code < 0 && code !== AVERROR_EOF) errors++;
      yield* receive(packet === null);
    },
    passOver(isOn) {
      if (isOn === passesOver) return;
      passesOver = isOn;
      check(context.setOption("skip_frame", isOn ? "noref" : "default"), "choose what to decode");
    },
    errors: () => errors,
    close() {
      frames.close();
      context.freeContext();
    },
  };
}

/** A frame's presentation time in its stream's units; undefined if nothing tells it. */
export function frameTime(frame: Frame): bigint | undefined {
  const time = frame.bestEffortTimestamp !== AV_NOPTS_VALUE ? frame.bestEffortTimestamp : frame.pts;
  return time === AV_NOPTS_VALUE ? undefined : time;
}
