import {
  AV_FRAME_DATA_DISPLAYMATRIX,
  AV_FRAME_FLAG_INTERLACED,
  AV_PKT_DATA_DISPLAYMATRIX,
  AVCOL_RANGE_JPEG,
  type AVPixelFormat,
} from "node-av/constants";
import { avGetPixFmtName, type Frame, type Stream } from "node-av/lib";
import { transferNames } from "../colour.ts";
import type { Rational } from "../types.ts";

/** What a decoded picture says about its track. */
export type PictureFacts = {
  width: number;
  height: number;
  pixelFormat: string;
  colorTransfer: string;
  /** As in ITU-T H.273, like the transfer; 2 if not stated. */
  colorPrimaries: number;
  colorMatrix: number;
  fullRange: boolean;
  sampleAspectRatio: Rational;
  rotation: number;
  interlaced: boolean;
};

/** Reads a picture's facts; what it doesn't say itself, the container says. */
export function pictureFacts(frame: Frame, stream: Stream): PictureFacts {
  const pixelFormat = avGetPixFmtName(frame.format as AVPixelFormat) ?? "";
  // The container's shape goes first, as in players: it is where a wrong one gets corrected.
  const shape = [stream.sampleAspectRatio, frame.sampleAspectRatio].find((ratio) => ratio.num > 0 && ratio.den > 0);
  const matrix =
    stream.codecpar.getCodedSideData(AV_PKT_DATA_DISPLAYMATRIX) ?? frame.getSideData(AV_FRAME_DATA_DISPLAYMATRIX);
  return {
    width: frame.width,
    height: frame.height,
    pixelFormat,
    colorTransfer: transferNames[frame.colorTrc || stream.codecpar.colorTrc] ?? "",
    colorPrimaries: frame.colorPrimaries,
    colorMatrix: frame.colorSpace,
    fullRange: frame.colorRange === AVCOL_RANGE_JPEG || pixelFormat.startsWith("yuvj"),
    sampleAspectRatio: shape ? { num: shape.num, den: shape.den } : { num: 1, den: 1 },
    rotation: matrix ? rotationOf(matrix) : 0,
    interlaced: frame.hasFlags(AV_FRAME_FLAG_INTERLACED),
  };
}

/**
 * The clockwise turn in degrees, to the nearest quarter, that a display matrix (ISO/IEC 14496-12, 6.2.2: nine 32-bit numbers in FFmpeg's byte order) asks
 * for. A mirrored picture is turned upright and stays mirrored.
 */
export function rotationOf(matrix: Buffer): number {
  if (matrix.length < 36) return 0;
  const [a, b, c, d] = [0, 4, 12, 16].map((at) => matrix.readInt32LE(at)) as [number, number, number, number];
  const isMirrored = a * d - b * c < 0;
  const quarters = Math.round(Math.atan2(b, isMirrored ? -a : a) / (Math.PI / 2));
  return (((quarters % 4) + 4) % 4) * 90;
}
