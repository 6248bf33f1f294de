import type { TrackResult } from "@kinora/media";

/**
 * Tracks without the segments that lie past the end of the shortest one. Sound is made sooner than pictures: a player that sees more of it than of them plays it
 * with the last picture standing still, and then jumps back. A segment stays if half of it is covered, since tracks are cut at slightly other times.
 */
export function evenEnds<T extends TrackResult>(tracks: readonly T[]): T[] {
  const end = Math.min(...tracks.map((track) => endsOf(track).at(-1) ?? 0));
  return tracks.map((track) => {
    const ends = endsOf(track);
    const isCovered = (index: number) => ((ends[index - 1] ?? 0) + (ends[index] ?? 0)) / 2 <= end;
    const kept = track.segments.filter((_, index) => index === 0 || isCovered(index));
    return kept.length === track.segments.length ? track : { ...track, segments: kept };
  });
}

/** When each segment of a track ends, in seconds from the track's beginning. */
function endsOf({ segments, timescale }: TrackResult): number[] {
  let units = 0;
  return segments.map(({ duration }) => {
    units += duration;
    return units / timescale;
  });
}
