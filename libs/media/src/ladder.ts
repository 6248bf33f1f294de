import type { Rung } from "./types.ts";

/** A picture's size in pixels. */
export type Size = { width: number; height: number };

const ownRungs: readonly Rung[] = [
  { name: "1080p", longSide: 1920, shortSide: 1080, maxBitrate: 6_000_000 },
  { name: "720p", longSide: 1280, shortSide: 720, maxBitrate: 3_400_000 },
  { name: "480p", longSide: 854, shortSide: 480, maxBitrate: 1_600_000 },
  { name: "360p", longSide: 640, shortSide: 360, maxBitrate: 900_000 },
  { name: "240p", longSide: 426, shortSide: 240, maxBitrate: 500_000 },
];

/** A rendition's place in the ladder: its name, its size and its cap at up to 30 frames a second. */
export type LadderStep = Size & { name: string; maxBitrate: number };

/** How far a picture may fall short of a rung's box and still stand on it, unscaled: 1280×719 is a 720p picture. */
const tolerance = 1.02;

/**
 * The renditions for a picture of this size (as it is displayed), largest first: every rung whose box it can fill without being
 * enlarged, at the source's own shape. A picture smaller than the last box gets one rendition of its own size. `rungs`, largest first, are Kinora's own if
 * there are none.
 */
export function ladder(source: Size, rungs: readonly Rung[] = []): LadderStep[] {
  const long = Math.max(source.width, source.height);
  const short = Math.min(source.width, source.height);
  const all = rungs.length > 0 ? rungs : ownRungs;
  const steps = all.flatMap((rung) => {
    const scale = Math.min(rung.longSide / long, rung.shortSide / short);
    return scale > tolerance ? [] : [{ name: rung.name, ...scaled(source, scale), maxBitrate: rung.maxBitrate }];
  });
  if (steps.length > 0) return steps;
  const own = scaled(source, 1);
  return [{ name: `${Math.min(own.width, own.height)}p`, ...own, maxBitrate: all.at(-1)?.maxBitrate ?? 500_000 }];
}

/**
 * The size at which a stored picture is displayed: with square pixels, upright. `rotation` is in degrees. Pixels are only ever widened or
 * narrowed, as players do; a shape beyond 1:10 is taken for an error in the file and ignored.
 */
export function displaySize(
  stored: Size & { rotation: number; sampleAspectRatio?: { num: number; den: number } | undefined },
): Size {
  const { num, den } = stored.sampleAspectRatio ?? { num: 1, den: 1 };
  const believable = num > 0 && den > 0 && num <= den * 10 && den <= num * 10;
  const width = believable ? Math.max(1, Math.round((stored.width * num) / den)) : stored.width;
  return stored.rotation % 180 === 0 ? { width, height: stored.height } : { width: stored.height, height: width };
}

/** 4:2:0 needs even sides. Never larger than the source; at least 2. */
function scaled(source: Size, scale: number): Size {
  const side = (length: number) => {
    const largest = Math.floor(length / 2) * 2;
    return Math.max(2, Math.min(largest, Math.round((length * Math.min(1, scale)) / 2) * 2));
  };
  return { width: side(source.width), height: side(source.height) };
}
