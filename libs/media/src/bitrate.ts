import type { TrackResult } from "./types.ts";

/** A track's length in seconds. */
export function trackSeconds(track: TrackResult): number {
  return track.segments.reduce((sum, segment) => sum + segment.duration, 0) / track.timescale;
}

/** Bits per second over the whole track, from its segments' bytes, rounded up. */
export function averageBitrate(track: TrackResult): number {
  const bytes = track.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  return ceilRate(bytes, trackSeconds(track));
}

/**
 * The peak segment bit rate in bits per second, rounded up: the largest rate of any run of segments that lasts between 0.5 and 1.5 times the target
 * duration (RFC 8216bis, section 4.4.6.2: BANDWIDTH). `targetSeconds` is the playlist's EXT-X-TARGETDURATION. A track shorter than such a run
 * counts as a whole.
 */
export function peakBitrate(track: TrackResult, targetSeconds: number): number {
  let peak = 0;
  for (let first = 0; first < track.segments.length; first++) {
    let bytes = 0;
    let ticks = 0;
    for (const segment of track.segments.slice(first, first + 1 + maxRun)) {
      bytes += segment.bytes;
      ticks += segment.duration;
      const seconds = ticks / track.timescale;
      if (seconds > targetSeconds * 1.5) break;
      if (seconds >= targetSeconds * 0.5) peak = Math.max(peak, ceilRate(bytes, seconds));
    }
  }
  return Math.max(peak, averageBitrate(track));
}

/** Bit rates of a playlist of key frames: each picture's bytes over its segment's length. */
export function keyFrameBitrates(track: TrackResult): { peak: number; average: number } {
  const rates = track.segments.map(({ keyFrameBytes = 0, duration }) =>
    ceilRate(keyFrameBytes, duration / track.timescale),
  );
  const bytes = track.segments.reduce((sum, segment) => sum + (segment.keyFrameBytes ?? 0), 0);
  return { peak: rates.reduce((peak, rate) => Math.max(peak, rate), 0), average: ceilRate(bytes, trackSeconds(track)) };
}

/** Bounds the work where segments are absurdly short; ordinary runs have one or two. */
const maxRun = 1000;

function ceilRate(bytes: number, seconds: number): number {
  return seconds > 0 ? Math.ceil((bytes * 8) / seconds) : 0;
}
