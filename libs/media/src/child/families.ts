import {
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_PIX_FMT_NV12,
  AV_PIX_FMT_YUV420P,
  type FFEncoderCodec,
} from "node-av/constants";
import { Rational as AvRational, Codec, CodecContext, Frame } from "node-av/lib";

/** An encoder of each family that stands for the others, and the pixel format that it takes from memory. */
const families = [
  { name: "cpu", encoder: "libx264", pixelFormat: AV_PIX_FMT_YUV420P },
  { name: "nvenc", encoder: "h264_nvenc", pixelFormat: AV_PIX_FMT_NV12 },
  { name: "qsv", encoder: "h264_qsv", pixelFormat: AV_PIX_FMT_NV12 },
];

/** The families of encoders that work here. FFmpeg names encoders whose hardware or driver is missing as well, so that each is opened and given a picture. */
export async function findFamilies(): Promise<string[]> {
  const found: string[] = [];
  for (const family of families) if (await works(family)) found.push(family.name);
  return found;
}

async function works({ encoder, pixelFormat }: (typeof families)[number]): Promise<boolean> {
  const codec = Codec.findEncoderByName(encoder as FFEncoderCodec);
  if (!codec) return false;
  const context = new CodecContext();
  context.allocContext3(codec);
  context.width = 640;
  context.height = 360;
  context.pixelFormat = pixelFormat;
  context.timeBase = new AvRational(1, 25);
  context.framerate = new AvRational(25, 1);
  context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  try {
    if ((await context.open2(codec)) < 0) return false;
    const frame = new Frame();
    frame.alloc();
    frame.width = 640;
    frame.height = 360;
    frame.format = pixelFormat;
    frame.pts = 0n;
    if (frame.getBuffer() < 0) return false;
    const sent = await context.sendFrame(frame);
    frame.free();
    return sent >= 0;
  } finally {
    context.freeContext();
  }
}
