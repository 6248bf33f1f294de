import { expect, it } from "vitest";
import { readQuality } from "./quality-lines.ts";

it("figures of pictures that are the same, and of such that have nothing in common", () => {
  const xpsnr =
    "n:    1  XPSNR y: inf\nn:    2  XPSNR y: 43.2104\nn:    3  XPSNR y: -12.4984\n\nXPSNR average, 3 frames\n";
  const ssim = "n:1 Y:1.000000 All:1\nn:2 Y:0.987654 All:0.9\nn:3 Y:-0.010000 All:0\n";
  const { frames, xpsnrSum, xpsnrMin, ssimSum, ssimMin } = readQuality(xpsnr, ssim);
  expect({ frames, xpsnrMin, ssimMin }).toEqual({ frames: 3, xpsnrMin: -12.4984, ssimMin: -0.01 });
  expect(xpsnrSum).toBeCloseTo(130.712);
  expect(ssimSum).toBeCloseTo(1.977654);
});
