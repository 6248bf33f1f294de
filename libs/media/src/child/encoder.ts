import { AV_CODEC_FLAG_GLOBAL_HEADER, AVERROR_EOF, AVMEDIA_TYPE_AUDIO, type FFEncoderCodec } from "node-av/constants";
import { Codec, CodecContext, Dictionary, type Frame, Packet } from "node-av/lib";
import { AVERROR_EAGAIN, check, present } from "./av.ts";
import { openDeviceFrames } from "./device-frames.ts";

/** A coded frame, copied out of FFmpeg's memory; times in the encoder's units. */
export type CodedFrame = { data: Buffer; pts: number; duration: number; isKey: boolean };

/** An encoder of one track. */
export type Encoder = {
  /** Parameter sets or configuration, known once the encoder is open. */
  extraData: Buffer;
  context: CodecContext;
  /** Encodes a frame (and frees it); `null` after the last one gives what is left. */
  encode(frame: Frame | null): AsyncGenerator<CodedFrame, void, undefined>;
  close(): void;
};

/**
 * Opens an encoder by FFmpeg's name; `prepare` sets what every codec has, `options` what only this one has. `onDevice`: it takes pictures from a GPU's memory only, and they are copied there.
 * `isSync`: it encodes in the thread that calls it, until its last frame was given.
 */
export async function openEncoder(
  name: string,
  prepare: (context: CodecContext) => void,
  options: Record<string, string | number>,
  { onDevice = false, isSync = false } = {},
): Promise<Encoder> {
  const codec = present(Codec.findEncoderByName(name as FFEncoderCodec), `encoder ${name}`);
  const context = new CodecContext();
  context.allocContext3(codec);
  prepare(context);
  const device = onDevice ? openDeviceFrames(context) : undefined;
  device?.attach(context);
  context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  check(await context.open2(codec, Dictionary.fromObject(options)), `open the encoder ${name}`);
  const packet = new Packet();
  packet.alloc();
  // A frame of sound is less work than handing it to another thread.
  const isSound = codec.type === AVMEDIA_TYPE_AUDIO;
  const isHandedOver = !isSound && !isSync;
  return {
    context,
    extraData: Buffer.from(context.extraData ?? []),
    async *encode(picture) {
      const frame = picture && device ? await device.upload(picture) : picture;
      const code = isHandedOver ? await context.sendFrame(frame) : context.sendFrameSync(frame);
      frame?.free();
      check(code, `encode with ${name}`);
      for (;;) {
        // The work was done when the frame was sent; only at the end there is more of it.
        const got = frame || isSound ? context.receivePacketSync(packet) : await context.receivePacket(packet);
        if (got === AVERROR_EAGAIN || got === AVERROR_EOF) return;
        check(got, `encode with ${name}`);
        const coded = {
          data: Buffer.from(packet.data ?? []),
          pts: Number(packet.pts),
          duration: Number(packet.duration),
          isKey: packet.isKeyframe,
        };
        packet.unref();
        yield coded;
      }
    },
    close() {
      packet.free();
      context.freeContext();
      device?.close();
    },
  };
}
