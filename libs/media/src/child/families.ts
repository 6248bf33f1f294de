import { AV_PIX_FMT_NV12, AV_PIX_FMT_YUV420P } from "node-av/constants";
import { Rational as AvRational, Frame } from "node-av/lib";
import { openEncoder } from "./encoder.ts";
import { encoderOptions } from "./encoder-options.ts";

const families = ["cpu", "nvenc", "qsv", "vaapi"];

/** The families of encoders that work here. FFmpeg names encoders whose hardware or driver is missing as well, so that each makes a picture, in the way that renditions are made. */
export async function findFamilies(): Promise<string[]> {
  const found: string[] = [];
  for (const family of families) if (await works(family).catch(() => false)) found.push(family);
  return found;
}

async function works(family: string): Promise<boolean> {
  const size = { width: 640, height: 360 };
  const quality = { crf: 23, maxBitrate: 0, bufferBits: 0, profile: "high", level: 30, preset: "veryfast" };
  const {
    name,
    options,
    pixelFormat,
    onDevice = false,
  } = encoderOptions({ name: "", ...size, ...quality, encoder: family }, 1);
  const format = pixelFormat === "nv12" ? AV_PIX_FMT_NV12 : AV_PIX_FMT_YUV420P;
  const encoder = await openEncoder(
    name,
    (context) => {
      context.width = size.width;
      context.height = size.height;
      context.pixelFormat = format;
      context.timeBase = new AvRational(1, 25);
      context.framerate = new AvRational(25, 1);
    },
    options,
    { onDevice },
  );
  try {
    const picture = Frame.fromVideoBuffer(Buffer.alloc((size.width * size.height * 3) / 2, 128), { ...size, format });
    picture.pts = 0n;
    let coded = 0;
    for await (const { data } of encoder.encode(picture)) coded += data.length;
    for await (const { data } of encoder.encode(null)) coded += data.length;
    return coded > 0;
  } finally {
    encoder.close();
  }
}
