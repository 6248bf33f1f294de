/** What becomes of a frame: it is before or after the part that is made, or in it, perhaps as the first of a segment. */
export type Place = "before" | "after" | "segment-start" | "inside";

/** Decides over frames by their time in ticks, in the order of presentation. */
export type FrameCut = {
  /** Whether a frame comes before the part. Unlike `place`, may be asked about any frame at any time. */
  isBefore(ticks: number): boolean;
  place(ticks: number): Place;
  /** The time of the first frame after the part; undefined until it was seen. */
  next(): number | undefined;
};

/**
 * Cuts a chunk: the frames from `start` (undefined: from the first one) to before `end` (undefined: to the last one). A segment starts with the first frame at or past each of `segments`.
 */
export function cutChunk(options: {
  start?: number | undefined;
  end?: number | undefined;
  segments: number[];
}): FrameCut {
  const { start = Number.NEGATIVE_INFINITY, end = Number.POSITIVE_INFINITY, segments } = options;
  let reached = 0;
  let isFirst = true;
  let next: number | undefined;
  return {
    isBefore: (ticks) => ticks < start,
    place(ticks) {
      if (ticks < start) return "before";
      if (ticks >= end) {
        next ??= ticks;
        return "after";
      }
      const before = reached;
      while (reached < segments.length && ticks >= (segments[reached] ?? 0)) reached++;
      const starts = reached > before || isFirst;
      isFirst = false;
      return starts ? "segment-start" : "inside";
    },
    next: () => next,
  };
}

/** Cuts a whole source: a segment starts with the first frame at or past each multiple of its length. */
export function cutWhole(segmentTicks: number): FrameCut {
  let segment = -1;
  return {
    isBefore: () => false,
    place(ticks) {
      const index = Math.max(0, Math.floor(ticks / segmentTicks));
      if (index <= segment) return "inside";
      segment = index;
      return "segment-start";
    },
    next: () => undefined,
  };
}
