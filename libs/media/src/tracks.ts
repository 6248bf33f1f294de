import type { StreamResult, TrackResult } from "./types.ts";

/** The sound tracks of a stream, the default first; results of an earlier release have one at most. */
export function audioTracksOf({ audio, audioTracks = [] }: StreamResult): TrackResult[] {
  return audioTracks.length > 0 ? audioTracks : audio ? [audio] : [];
}

/** Every track of a stream. */
export function tracksOf(result: StreamResult): TrackResult[] {
  return [...result.video, ...audioTracksOf(result)];
}
