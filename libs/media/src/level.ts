import type { Rational } from "./types.ts";

/** What a decoder of a level must manage: ITU-T H.264 (08/2021), table A-1; bit rates are those of the High profile (1.25 times the table's). */
type LevelLimits = {
  /** Level times ten, as in `level_idc`. */
  level: number;
  macroblocksPerSecond: number;
  macroblocks: number;
  bufferedMacroblocks: number;
  bitrate: number;
  bufferBits: number;
};

const high = 1.25 * 1000;

// biome-ignore format: a table reads best as one
const rows: [level: number, mbps: number, fs: number, dpb: number, br: number, cpb: number][] = [
  [10,     1_485,      99,     396,      64,     175],
  [11,     3_000,     396,     900,     192,     500],
  [12,     6_000,     396,   2_376,     384,   1_000],
  [13,    11_880,     396,   2_376,     768,   2_000],
  [20,    11_880,     396,   2_376,   2_000,   2_000],
  [21,    19_800,     792,   4_752,   4_000,   4_000],
  [22,    20_250,   1_620,   8_100,   4_000,   4_000],
  [30,    40_500,   1_620,   8_100,  10_000,  10_000],
  [31,   108_000,   3_600,  18_000,  14_000,  14_000],
  [32,   216_000,   5_120,  20_480,  20_000,  20_000],
  [40,   245_760,   8_192,  32_768,  20_000,  25_000],
  [41,   245_760,   8_192,  32_768,  50_000,  62_500],
  [42,   522_240,   8_704,  34_816,  50_000,  62_500],
  [50,   589_824,  22_080, 110_400, 135_000, 135_000],
  [51,   983_040,  36_864, 184_320, 240_000, 240_000],
  [52, 2_073_600,  36_864, 184_320, 240_000, 240_000],
  [60, 4_177_920, 139_264, 696_320, 240_000, 240_000],
  [61, 8_355_840, 139_264, 696_320, 480_000, 480_000],
  [62, 16_711_680, 139_264, 696_320, 800_000, 800_000],
];

const levels: LevelLimits[] = rows.map(([level, mbps, fs, dpb, br, cpb]) => ({
  level,
  macroblocksPerSecond: mbps,
  macroblocks: fs,
  bufferedMacroblocks: dpb,
  bitrate: br * high,
  bufferBits: cpb * high,
}));

/** Pictures that a decoder must hold for one reference, a pyramid of B-frames and the current picture. */
const bufferedPictures = 4;

/**
 * The lowest H.264 level (times ten) that a rendition fits in; the highest that there is if it fits in none.
 * `maxBitrate` and `bufferBits` are those of the rate control, in bits per second and bits.
 */
export function h264Level(rendition: {
  width: number;
  height: number;
  frameRate: Rational;
  maxBitrate: number;
  bufferBits: number;
}): number {
  const columns = Math.ceil(rendition.width / 16);
  const lines = Math.ceil(rendition.height / 16);
  const macroblocks = columns * lines;
  const perSecond = (macroblocks * rendition.frameRate.num) / rendition.frameRate.den;
  const fit = levels.find(
    (limits) =>
      macroblocks <= limits.macroblocks &&
      // A.3.1: neither side may be longer than the root of eight times the largest picture.
      Math.max(columns, lines) ** 2 <= 8 * limits.macroblocks &&
      perSecond <= limits.macroblocksPerSecond &&
      macroblocks * bufferedPictures <= limits.bufferedMacroblocks &&
      rendition.maxBitrate <= limits.bitrate &&
      rendition.bufferBits <= limits.bufferBits,
  );
  return fit?.level ?? 62;
}
