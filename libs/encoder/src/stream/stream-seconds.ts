import { type StreamResult, type TrackResult, tracksOf } from "@kinora/media";

/** Length of a stream in seconds: of its longest track, or of its shortest, as far as all of it can be played. */
export function streamSeconds(result: StreamResult, which: "longest" | "shortest" = "longest"): number {
  const lengths = tracksOf(result).map(secondsOf);
  if (lengths.length === 0) return 0;
  return which === "longest" ? Math.max(...lengths) : Math.min(...lengths);
}

function secondsOf({ segments, timescale }: TrackResult): number {
  return timescale > 0 ? segments.reduce((sum, segment) => sum + segment.duration, 0) / timescale : 0;
}
