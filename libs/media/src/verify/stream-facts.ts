import type { SegmentHead } from "../mp4/media-segment.ts";
import type { TrackResult } from "../types.ts";
import type { readDashManifest } from "./dash-timelines.ts";
import type { HlsEntry, HlsMaster, HlsMedia } from "./hls-playlists.ts";

/** A segment as it lies in the stream. */
export type SegmentFacts = {
  /** Its head; undefined if it isn't there or isn't a segment. */
  head?: SegmentHead | undefined;
  bytes: number;
  /** Whether its first picture needs no other; true for sound. */
  startsWithKey: boolean;
  problem?: string | undefined;
};

/** A track as it lies in the stream, beside what its maker said. */
export type TrackFacts = {
  kind: "video" | "audio";
  made: TrackResult;
  /** Its entry in the multivariant playlist, and its playlist; undefined if missing. */
  entry?: HlsEntry | undefined;
  playlist?: HlsMedia | undefined;
  /** Its playlist of key frames; undefined if there is none, or it is missing. */
  keyFrames?: HlsMedia | undefined;
  initSha256: Uint8Array;
  /** What its edit list takes off, in the track's timescale. */
  skip: number;
  segments: SegmentFacts[];
};

/** What decoding around a seam gave. */
export type SeamFacts = {
  track: string;
  /** Number of the segment after the seam. */
  segment: number;
  expectedTimes: number[];
  decodedTimes: number[];
  errors: number;
};

/** Everything that was read of a stream, for the checks to judge. */
export type StreamFacts = {
  master: HlsMaster;
  manifest: ReturnType<typeof readDashManifest>;
  tracks: TrackFacts[];
  seams: SeamFacts[];
};
