import {
  AVCOL_PRI_BT709,
  AVCOL_PRI_SMPTE170M,
  AVCOL_SPC_BT470BG,
  AVCOL_SPC_BT709,
  AVCOL_SPC_FCC,
  AVCOL_SPC_SMPTE170M,
  AVCOL_SPC_SMPTE240M,
  AVCOL_SPC_UNSPECIFIED,
  AVCOL_TRC_BT709,
  AVCOL_TRC_SMPTE170M,
  type AVColorPrimaries,
  type AVColorSpace,
  type AVColorTransferCharacteristic,
} from "node-av/constants";
import type { Frame } from "node-av/lib";

/** The colours of a stream, and how the scaler gets there. */
export type Colour = {
  primaries: AVColorPrimaries;
  transfer: AVColorTransferCharacteristic;
  matrix: AVColorSpace;
  /** Options of the scale filter. */
  scaleOptions: string;
};

/** Matrices that H.264 players know, by the scale filter's names. */
const kept = new Map<AVColorSpace, string>([
  [AVCOL_SPC_BT709, "bt709"],
  [AVCOL_SPC_SMPTE170M, "smpte170m"],
  [AVCOL_SPC_BT470BG, "bt470"],
  [AVCOL_SPC_FCC, "fcc"],
  [AVCOL_SPC_SMPTE240M, "smpte240m"],
]);

const unspecified = 2;

/**
 * The colours for all renditions of a source, from its first picture. What the source states is kept, so that nothing is converted needlessly. What it doesn't state, players guess by
 * the picture's height; since the renditions differ in height, the guess for the source is written into all of them. Other matrices (RGB, BT.2020) become BT.709.
 */
export function chooseColour(frame: Frame): Colour {
  const primaries = frame.colorPrimaries as number;
  const transfer = frame.colorTrc as number;
  const isHd = frame.width >= 1280 || frame.height > 576;
  const isUnstated = frame.colorSpace === AVCOL_SPC_UNSPECIFIED;
  const matrix = isUnstated ? (isHd ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M) : frame.colorSpace;
  const name = kept.get(matrix);
  if (!name) {
    return {
      primaries: AVCOL_PRI_BT709,
      transfer: AVCOL_TRC_BT709,
      matrix: AVCOL_SPC_BT709,
      scaleOptions: "out_color_matrix=bt709:out_range=tv",
    };
  }
  const isBt709 = matrix === AVCOL_SPC_BT709;
  return {
    primaries: primaries !== unspecified ? frame.colorPrimaries : isBt709 ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M,
    transfer: transfer !== unspecified ? frame.colorTrc : isBt709 ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M,
    matrix,
    scaleOptions: `in_color_matrix=${name}:out_color_matrix=${name}:out_range=tv`,
  };
}
