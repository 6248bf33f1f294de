import type { RatePoint } from "../types.ts";

/** A point of a curve: bits per second, and mean XPSNR in decibels. */
export type CurvePoint = { bitrate: number; quality: number };

/** What each bit rate gives at one size. Between trials both quality and CRF go straight over the logarithm of the rate; nothing is said beyond them. */
export type RateCurve = {
  width: number;
  height: number;
  /** The trials by rising rate, without those that give less for more. */
  points: (CurvePoint & { crf: number })[];
};

/** Mean XPSNR of a trial in decibels. */
export function meanQuality({ quality }: Pick<RatePoint, "quality">): number {
  return quality && quality.frames > 0 ? quality.xpsnrSum / quality.frames : 0;
}

/** The curves of all sizes, largest first. */
export function rateCurves(trials: RatePoint[]): RateCurve[] {
  const sizes = new Map<string, RateCurve>();
  for (const trial of trials) {
    if (!(trial.bitrate > 0)) continue;
    const { width, height, crf, bitrate } = trial;
    const curve = sizes.get(`${width}x${height}`) ?? { width, height, points: [] };
    curve.points.push({ crf, bitrate, quality: meanQuality(trial) });
    sizes.set(`${width}x${height}`, curve);
  }
  return [...sizes.values()]
    .map((curve) => ({ ...curve, points: paretoFront(curve.points) }))
    .sort((one, other) => other.width * other.height - one.width * one.height);
}

/** The points that no other beats in both rate and quality, by rising rate. */
export function paretoFront<Point extends CurvePoint>(points: Point[]): Point[] {
  const front: Point[] = [];
  for (const point of points.toSorted((one, other) => one.bitrate - other.bitrate || other.quality - one.quality)) {
    const best = front.at(-1);
    if (best === undefined || point.quality > best.quality) front.push(point);
  }
  return front;
}

/** The points on the upper convex hull of quality over the logarithm of the rate, by rising rate: a mix of any two others gives no more. */
export function convexHull<Point extends CurvePoint>(points: Point[]): Point[] {
  const hull: Point[] = [];
  const slope = (from: Point, to: Point) =>
    (to.quality - from.quality) / (Math.log(to.bitrate) - Math.log(from.bitrate));
  for (const point of paretoFront(points)) {
    for (;;) {
      const [before, last] = hull.slice(-2);
      if (!before || !last || slope(before, last) > slope(last, point)) break;
      hull.pop();
    }
    hull.push(point);
  }
  return hull;
}

/** What a curve gives at a bit rate; undefined outside its trials. */
export function atBitrate(curve: RateCurve, bitrate: number): { quality: number; crf: number } | undefined {
  const between = bracket(curve.points, ({ bitrate: rate }) => Math.log(rate), Math.log(bitrate));
  return between && { quality: mix(between, ({ quality }) => quality), crf: mix(between, ({ crf }) => crf) };
}

/** What a curve needs for a quality; undefined outside its trials. */
export function atQuality(curve: RateCurve, quality: number): { bitrate: number; crf: number } | undefined {
  const between = bracket(curve.points, (point) => point.quality, quality);
  return (
    between && {
      bitrate: Math.exp(mix(between, ({ bitrate }) => Math.log(bitrate))),
      crf: mix(between, ({ crf }) => crf),
    }
  );
}

type Bracket<Point> = { from: Point; to: Point; part: number };

function bracket<Point>(points: Point[], measure: (point: Point) => number, at: number): Bracket<Point> | undefined {
  for (const [index, to] of points.entries()) {
    const from = points[index - 1] ?? to;
    const [low, high] = [measure(from), measure(to)];
    if (at >= low && at <= high) return { from, to, part: high > low ? (at - low) / (high - low) : 0 };
  }
  return undefined;
}

const mix = <Point>({ from, to, part }: Bracket<Point>, measure: (point: Point) => number) =>
  measure(from) + (measure(to) - measure(from)) * part;
