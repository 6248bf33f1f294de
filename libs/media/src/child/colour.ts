import {
  AV_PIX_FMT_YUV420P,
  AVCOL_RANGE_JPEG,
  AVCOL_SPC_UNSPECIFIED,
  type AVColorPrimaries,
  type AVColorSpace,
  type AVColorTransferCharacteristic,
} from "node-av/constants";
import type { Frame } from "node-av/lib";
import { type OutputColour, planColour } from "../colour.ts";
import type { VideoPlan } from "../types.ts";

/** Matrices (ITU-T H.273, table 4) by the scale filter's names. */
const names: Record<number, string> = { 1: "bt709", 4: "fcc", 5: "bt470", 6: "smpte170m", 7: "smpte240m" };

/** The colours to write: the plan's; for a plan of before it had them, what the first picture asks for. */
export function outputColour(plan: VideoPlan, first: Frame): OutputColour {
  const { colorPrimaries = 0, colorTransfer = 0, colorMatrix = 0 } = plan;
  if (colorMatrix > 0) return { primaries: colorPrimaries, transfer: colorTransfer, matrix: colorMatrix };
  return planColour({
    primaries: first.colorPrimaries,
    transfer: first.colorTrc,
    matrix: first.colorSpace,
    width: first.width,
    height: first.height,
  });
}

/** Options of the scale filter that lead a picture's colours to those of the output. What it doesn't state is taken for the same. */
export function scaleColour(picture: Frame, { matrix }: OutputColour): string {
  const to = `out_color_matrix=${names[matrix]}:out_range=tv`;
  const isStated = picture.colorSpace !== AVCOL_SPC_UNSPECIFIED;
  const from = isStated ? names[picture.colorSpace] : names[matrix];
  return from ? `in_color_matrix=${from}:${to}` : to;
}

/** Whether a picture's samples are already as the output's are to be, but for their number. */
export function isOutputColour(picture: Frame, { matrix }: OutputColour): boolean {
  const isSameMatrix =
    picture.colorSpace === AVCOL_SPC_UNSPECIFIED || names[picture.colorSpace] === (names[matrix] ?? "");
  return picture.format === AV_PIX_FMT_YUV420P && picture.colorRange !== AVCOL_RANGE_JPEG && isSameMatrix;
}

/** The output's colours as FFmpeg's encoders take them. */
export function encoderColour({ primaries, transfer, matrix }: OutputColour) {
  return {
    primaries: primaries as AVColorPrimaries,
    transfer: transfer as AVColorTransferCharacteristic,
    matrix: matrix as AVColorSpace,
  };
}
