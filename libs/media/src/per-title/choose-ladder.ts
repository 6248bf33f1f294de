import { h264Level } from "../level.ts";
import { levelOf } from "../plan/level-limits.ts";
import type { LadderChoice, RatePoint, Rational, RenditionPlan } from "../types.ts";
import { atBitrate, atQuality, convexHull, meanQuality, type RateCurve, rateCurves } from "./rate-curve.ts";

/** A rung needs at most this part of the bits of the one above: closer ones don't help a player. */
const ratioDown = 0.55;
/** A rung that is worse than the one above by less than this, in decibels, adds nothing. */
const leastStep = 1;
/** Below this, in bits per second, a rung saves nothing beside the sound. */
const leastBitrate = 30_000;
/** A rung may have this times its average for a while. */
const capFactor = 1.9;

/** The renditions for one video, chosen by trials, and how they were. */
export type PerTitleLadder = { renditions: RenditionPlan[]; choice: LadderChoice };

/**
 * Chooses a ladder that reaches a quality with the fewest bits. The top rung is the cheapest way to the target, or the best that the trials know; each further one has at most 55 % of the bits of the one above, at
 * the size that gives the most for them. Pure.
 *
 * @param trials what each size gave at each CRF
 * @param fixed the renditions of the fixed ladder: the sizes to choose from, the highest caps, and all else that a rendition has
 * @param qualityTarget mean XPSNR in decibels that the top rung is to reach
 */
export function chooseLadder(options: {
  trials: RatePoint[];
  fixed: RenditionPlan[];
  frameRate: Rational;
  qualityTarget: number;
}): PerTitleLadder {
  const { trials, fixed, qualityTarget } = options;
  const curves = rateCurves(trials);
  const hull = convexHull(trials.map((trial) => ({ ...trial, quality: meanQuality(trial), trial }))).map(
    ({ trial }) => trial,
  );
  const about = { points: trials, hull, qualityTarget };
  const top = chooseTop(curves, qualityTarget);
  if (!top)
    return { renditions: fixed, choice: { ...about, reason: "No trial could be measured: the fixed ladder is used." } };
  const rungs = [top];
  for (let last = top; rungs.length < fixed.length; ) {
    const next = bestAt(curves, last.bitrate * ratioDown);
    if (!next || next.bitrate < leastBitrate) break;
    if (last.quality - next.quality >= leastStep) rungs.push(next);
    last = next;
  }
  return {
    renditions: rungs.map((rung, index) => renditionOf(rung, rungs.slice(0, index), options)),
    choice: { ...about, reason: reasonOf(rungs, fixed, qualityTarget) },
  };
}

type ChosenRung = { curve: RateCurve; bitrate: number; quality: number; crf: number };

/** The cheapest way to the target at any size; where none reaches it, the best of the largest size. */
function chooseTop(curves: RateCurve[], target: number): ChosenRung | undefined {
  const ways = curves.flatMap((curve): ChosenRung[] => {
    const [first] = curve.points;
    // All that was tried is better than asked for: the cheapest of it.
    if (first && first.quality >= target) return [{ curve, ...first }];
    const found = atQuality(curve, target);
    return found ? [{ curve, quality: target, ...found }] : [];
  });
  const [cheapest] = ways.sort((one, other) => one.bitrate - other.bitrate);
  if (cheapest) return cheapest;
  const all = curves.flatMap((curve) => curve.points.map((point): ChosenRung => ({ curve, ...point })));
  return all.sort((one, other) => other.quality - one.quality)[0];
}

/** The size that gives the most for a bit rate; where no trial was so cheap, the next cheaper one that there is. */
function bestAt(curves: RateCurve[], bitrate: number): ChosenRung | undefined {
  const ways = curves.flatMap((curve): ChosenRung[] => {
    const found = atBitrate(curve, bitrate);
    if (found) return [{ curve, bitrate, ...found }];
    const below = curve.points.findLast((point) => point.bitrate <= bitrate);
    return below ? [{ curve, ...below }] : [];
  });
  return ways.sort((one, other) => other.quality - one.quality)[0];
}

function renditionOf(
  { curve, bitrate, crf }: ChosenRung,
  before: ChosenRung[],
  { fixed, frameRate }: { fixed: RenditionPlan[]; frameRate: Rational },
): RenditionPlan {
  const { width, height } = curve;
  const like = fixed.find((rendition) => rendition.width === width && rendition.height === height) ?? fixed[0];
  if (!like) throw new RangeError("a fixed ladder without a rung");
  const isSecond = before.some((rung) => rung.curve === curve);
  const maxBitrate = Math.min(like.maxBitrate || Number.POSITIVE_INFINITY, Math.round(bitrate * capFactor));
  const bufferBits = Math.round(maxBitrate * 1.5);
  const demand = { width, height, frameRate, maxBitrate, bufferBits };
  const codec = like.codec === "hevc" || like.codec === "av1" ? like.codec : "h264";
  return {
    ...like,
    name: isSecond ? `${like.name}-${Math.round(bitrate / 1000)}k` : like.name,
    crf: Math.round(crf * 10) / 10,
    maxBitrate,
    bufferBits,
    level: codec === "h264" ? h264Level(demand) : levelOf(codec, demand),
  };
}

function reasonOf(rungs: ChosenRung[], fixed: RenditionPlan[], target: number): string {
  const [top] = rungs;
  const reached = (top?.quality ?? 0) >= target - 0.01;
  const goal = reached
    ? `${top?.curve.width}×${top?.curve.height} reaches ${target.toFixed(1)} dB with ${kbits(top?.bitrate)}`
    : `no trial reaches ${target.toFixed(1)} dB; the best has ${(top?.quality ?? 0).toFixed(1)} dB with ${kbits(top?.bitrate)}`;
  const fewer = fixed.length - rungs.length;
  return `${goal}${fewer > 0 ? `; ${fewer} of ${fixed.length} rungs would add nothing` : ""}.`;
}

const kbits = (bitrate = 0) => `${Math.round(bitrate / 1000)} kbit/s`;
