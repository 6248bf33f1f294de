import { type CurvePoint, paretoFront } from "./rate-curve.ts";

/**
 * How many more bits a curve needs than another for the same quality, on average over the qualities that both reach: −0.2 stands for a fifth less. The mean distance of the logarithms of the rates
 * (Bjøntegaard, VCEG-M33), between curves through the points that rise where they do (piecewise cubic by Fritsch and Carlson, as in JCTVC-E137). NaN where the curves have no quality in
 * common, or fewer than two points.
 */
export function bdRate(reference: CurvePoint[], tested: CurvePoint[]): number {
  const [one, other] = [reference, tested].map(logRateOver) as [Curve | undefined, Curve | undefined];
  if (!one || !other) return Number.NaN;
  const from = Math.max(one.from, other.from);
  const to = Math.min(one.to, other.to);
  if (!(to > from)) return Number.NaN;
  let sum = 0;
  const steps = 1000;
  for (let step = 0; step < steps; step++) {
    const quality = from + ((to - from) * (step + 0.5)) / steps;
    sum += other.at(quality) - one.at(quality);
  }
  return Math.exp(sum / steps) - 1;
}

type Curve = { from: number; to: number; at(quality: number): number };

function logRateOver(points: CurvePoint[]): Curve | undefined {
  const front = paretoFront(points);
  const [x, y] = [front.map(({ quality }) => quality), front.map(({ bitrate }) => Math.log(bitrate))];
  if (x.length < 2) return undefined;
  const at = (values: number[], index: number) => values[index] ?? 0;
  const width = x.slice(1).map((value, index) => value - at(x, index));
  const slope = width.map((step, index) => (at(y, index + 1) - at(y, index)) / step);
  // The weighted harmonic mean of the slopes on both sides keeps the curve from overshooting.
  const tangent = x.map((_, index) => {
    if (index === 0) return at(slope, 0);
    if (index === x.length - 1) return at(slope, index - 1);
    const [left, right] = [at(slope, index - 1), at(slope, index)];
    if (left * right <= 0) return 0;
    const [before, after] = [2 * at(width, index) + at(width, index - 1), at(width, index) + 2 * at(width, index - 1)];
    return (before + after) / (before / left + after / right);
  });
  return {
    from: at(x, 0),
    to: at(x, x.length - 1),
    at(quality) {
      const next = x.findIndex((value) => value > quality);
      const index = next < 0 ? x.length - 2 : Math.max(0, next - 1);
      const step = at(width, index);
      const t = (quality - at(x, index)) / step;
      return (
        (1 + 2 * t) * (1 - t) ** 2 * at(y, index) +
        t * (1 - t) ** 2 * step * at(tangent, index) +
        t ** 2 * (3 - 2 * t) * at(y, index + 1) +
        t ** 2 * (t - 1) * step * at(tangent, index + 1)
      );
    },
  };
}
