/** Colours of a stream as numbers of ITU-T H.273 (tables 2 to 4). */
export type OutputColour = { primaries: number; transfer: number; matrix: number };

const bt709 = 1;
const smpte170m = 6;
const unspecified = 2;

/** Matrices that players of standard range know: BT.709, FCC, BT.470BG, SMPTE 170M, SMPTE 240M. */
const kept = [bt709, 4, 5, smpte170m, 7];

/**
 * The colours for all renditions of a source. What the source states is kept, so that nothing is converted needlessly. What it doesn't state, players guess by
 * the picture's height; since the renditions differ in height, the guess for the source is written into all of them. Other matrices (RGB, BT.2020) become BT.709, and so does HDR.
 */
export function planColour(source: OutputColour & { width: number; height: number; toneMap?: boolean }): OutputColour {
  const isHd = source.width >= 1280 || source.height > 576;
  const isStated = source.matrix !== unspecified;
  const matrix = isStated ? source.matrix : isHd ? bt709 : smpte170m;
  if (source.toneMap || !kept.includes(matrix)) return { primaries: bt709, transfer: bt709, matrix: bt709 };
  const usual = matrix === bt709 ? bt709 : smpte170m;
  const stated = (value: number) => (value !== unspecified && value !== 0 ? value : usual);
  return { primaries: stated(source.primaries), transfer: stated(source.transfer), matrix };
}

/** Transfer characteristics (ITU-T H.273, table 3) by FFmpeg's names. */
export const transferNames: Record<number, string> = {
  1: "bt709",
  4: "bt470m",
  5: "bt470bg",
  6: "smpte170m",
  7: "smpte240m",
  8: "linear",
  9: "log100",
  10: "log316",
  11: "iec61966-2-4",
  12: "bt1361e",
  13: "iec61966-2-1",
  14: "bt2020-10",
  15: "bt2020-12",
  16: "smpte2084",
  17: "smpte428",
  18: "arib-std-b67",
};

/** A transfer's number by its name; 2 (unspecified) for others. */
export function transferNumber(name: string): number {
  const found = Object.entries(transferNames).find(([, known]) => known === name);
  return found ? Number(found[0]) : unspecified;
}
