import type { Rational } from "../types.ts";

type Row = [level: number, picture: number, perSecond: number, kilobits: number];

// biome-ignore format: a table reads best as one
const hevc: Row[] = [
  [20,    122_880,     3_686_400,   1_500],
  [21,    245_760,     7_372_800,   3_000],
  [30,    552_960,    16_588_800,   6_000],
  [31,    983_040,    33_177_600,  10_000],
  [40,  2_228_224,    66_846_720,  12_000],
  [41,  2_228_224,   133_693_440,  20_000],
  [50,  8_912_896,   267_386_880,  25_000],
  [51,  8_912_896,   534_773_760,  40_000],
  [52,  8_912_896, 1_069_547_520,  60_000],
  [60, 35_651_584, 1_069_547_520,  60_000],
  [61, 35_651_584, 2_139_095_040, 120_000],
  [62, 35_651_584, 4_278_190_080, 240_000],
];

// biome-ignore format: a table reads best as one
const av1: Row[] = [
  [20,    147_456,     4_423_680,   1_500],
  [21,    278_784,     8_363_520,   3_000],
  [30,    665_856,    19_975_680,   6_000],
  [31,  1_065_024,    31_950_720,  10_000],
  [40,  2_359_296,    70_778_880,  12_000],
  [41,  2_359_296,   141_557_760,  20_000],
  [50,  8_912_896,   267_386_880,  30_000],
  [51,  8_912_896,   534_773_760,  40_000],
  [52,  8_912_896, 1_069_547_520,  60_000],
  [60, 35_651_584, 1_069_547_520,  60_000],
  [61, 35_651_584, 2_139_095_040, 100_000],
];

/**
 * The lowest level (times ten) of HEVC (ITU-T H.265, tables A.8 and A.9, Main tier) or AV1 (bitstream specification, A.3, Main tier) that a rendition fits in; the
 * highest that there is if it fits in none. `maxBitrate` in bits per second.
 */
export function levelOf(
  codec: "hevc" | "av1",
  rendition: { width: number; height: number; frameRate: Rational; maxBitrate: number },
): number {
  const pixels = rendition.width * rendition.height;
  const perSecond = (pixels * rendition.frameRate.num) / rendition.frameRate.den;
  const rows = codec === "hevc" ? hevc : av1;
  const fit = rows.find(
    ([, picture, rate, kilobits]) =>
      pixels <= picture &&
      // Neither side may be longer than the root of eight times the largest picture.
      Math.max(rendition.width, rendition.height) ** 2 <= 8 * picture &&
      perSecond <= rate &&
      rendition.maxBitrate <= kilobits * 1000,
  );
  return fit?.[0] ?? rows.at(-1)?.[0] ?? 0;
}
