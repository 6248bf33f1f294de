import { AV_CODEC_FLAG_QSCALE, AV_PIX_FMT_YUVJ420P, AVCOL_RANGE_JPEG, FF_QP2LAMBDA } from "node-av/constants";
import { Rational as AvRational, type Frame } from "node-av/lib";
import { openEncoder } from "./encoder.ts";
import { openFilter } from "./filter.ts";

/** Quality of the poster in FFmpeg's scale, 2 (best) to 31. */
const posterQuality = 3;

/** Keeps the picture that is shown at a given time: the last one that begins by then. The first one, if none does. */
export function createPoster(ticks: number) {
  let kept: Frame | undefined;
  return {
    see(picture: Frame, at: number): void {
      if (kept && at > ticks) return;
      kept?.free();
      kept = picture.clone() ?? undefined;
    },
    /** The picture as JPEG; undefined if none was seen. */
    async jpeg(): Promise<Buffer | undefined> {
      const picture = kept;
      kept = undefined;
      return picture && (await encodeJpeg(picture, posterQuality));
    },
  };
}

/** Encodes a picture (and frees it). JPEG wants full range and the BT.601 matrix (ITU-T T.871). `quality` in FFmpeg's scale, 2 (best) to 31. */
export async function encodeJpeg(picture: Frame, quality: number): Promise<Buffer> {
  const { width, height } = picture;
  const chain = "scale=out_range=pc:out_color_matrix=bt601:flags=bicubic,format=yuvj420p";
  const filter = await openFilter(picture, { num: 1, den: 1 }, chain);
  const encoder = await openEncoder(
    "mjpeg",
    (context) => {
      context.width = width;
      context.height = height;
      context.pixelFormat = AV_PIX_FMT_YUVJ420P;
      context.colorRange = AVCOL_RANGE_JPEG;
      context.timeBase = new AvRational(1, 1);
      context.setFlags(AV_CODEC_FLAG_QSCALE);
      context.globalQuality = quality * FF_QP2LAMBDA;
    },
    {},
  );
  const parts: Buffer[] = [];
  for await (const full of filter.push(picture)) {
    full.quality = quality * FF_QP2LAMBDA;
    full.pts = 0n;
    for await (const { data } of encoder.encode(full)) parts.push(data);
  }
  for await (const { data } of encoder.encode(null)) parts.push(data);
  filter.close();
  encoder.close();
  return Buffer.concat(parts);
}
