/** A picture's size in pixels. */
export type Size = { width: number; height: number };

/** A step of the ladder: the box that a rendition fills, and the bit rate that it may reach at up to 30 frames a second. */
type Rung = { name: string; long: number; short: number; maxBitrate: number };

const rungs: Rung[] = [
  { name: "1080p", long: 1920, short: 1080, maxBitrate: 6_000_000 },
  { name: "720p", long: 1280, short: 720, maxBitrate: 3_400_000 },
  { name: "480p", long: 854, short: 480, maxBitrate: 1_600_000 },
  { name: "360p", long: 640, short: 360, maxBitrate: 900_000 },
  { name: "240p", long: 426, short: 240, maxBitrate: 500_000 },
];

/** A rendition's place in the ladder: its name, its size and its cap at up to 30 frames a second. */
export type LadderStep = Size & { name: string; maxBitrate: number };

/** How far a picture may fall short of a rung's box and still stand on it, unscaled: 1280×719 is a 720p picture. */
const tolerance = 1.02;

/**
 * The renditions for a picture of this size (as it is displayed), largest first: every rung whose box it can fill without being
 * enlarged, at the source's own shape. A picture smaller than the last box gets one rendition of its own size.
 */
export function ladder(source: Size): LadderStep[] {
  const long = Math.max(source.width, source.height);
  const short = Math.min(source.width, source.height);
  const steps = rungs.flatMap((rung) => {
    const scale = Math.min(rung.long / long, rung.short / short);
    return scale > tolerance ? [] : [{ name: rung.name, ...scaled(source, scale), maxBitrate: rung.maxBitrate }];
  });
  if (steps.length > 0) return steps;
  const own = scaled(source, 1);
  return [{ name: `${Math.min(own.width, own.height)}p`, ...own, maxBitrate: 500_000 }];
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
