import type { Quality } from "../types.ts";

/** A frame that is as it was has an infinite XPSNR; more than this cannot be seen anyway. */
const highestXpsnr = 100;

/**
 * Sums up what FFmpeg's filters xpsnr and ssim wrote, a line for each frame: `n:    1  XPSNR y: 43.2104  XPSNR u: …` and `n:1 Y:0.987654 U:…`. Both may be below zero, where a picture
 * has nothing in common with its source. Throws a RangeError if they don't speak of the same number of frames.
 */
export function readQuality(xpsnr: string, ssim: string): Quality {
  const decibels = figures(xpsnr, /^n:.*?XPSNR y:\s*(inf|-?[\d.]+)/gm).map((value) => Math.min(highestXpsnr, value));
  const similarities = figures(ssim, /^n:\d+ Y:(-?[\d.]+)/gm);
  if (decibels.length !== similarities.length) {
    throw new RangeError(`${decibels.length} frames have an XPSNR and ${similarities.length} an SSIM`);
  }
  const sum = (values: number[]) => values.reduce((before, value) => before + value, 0);
  const least = (values: number[]) =>
    values.reduce((before, value) => Math.min(before, value), Number.POSITIVE_INFINITY);
  return {
    frames: decibels.length,
    xpsnrSum: sum(decibels),
    xpsnrMin: least(decibels),
    ssimSum: sum(similarities),
    ssimMin: least(similarities),
  };
}

function figures(text: string, line: RegExp): number[] {
  return [...text.matchAll(line)].map(([, value]) => (value === "inf" ? Number.POSITIVE_INFINITY : Number(value)));
}
