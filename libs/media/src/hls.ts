import { averageBitrate, keyFrameBitrates, peakBitrate } from "./bitrate.ts";
import { languageName, languageTag } from "./language.ts";
import type { StreamOptions } from "./stream-options.ts";
import { audioTracksOf } from "./tracks.ts";
import type { StreamResult, TrackResult } from "./types.ts";

/**
 * Writes the HLS multivariant playlist (`master.m3u8`, RFC 8216 and its successor draft): a variant for each rendition, with figures measured from
 * the segments, and for a growing stream not below what the renditions are allowed. Paths are relative to it.
 */
export function hlsMaster(result: StreamResult, options: StreamOptions = {}): string {
  const { base = "", growing } = options;
  const sound = audioTracksOf(result);
  const audioPeak = Math.max(0, ...sound.map((track) => declaredPeak(track, options)));
  const audioAverage = Math.max(0, ...sound.map(averageBitrate));
  const lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"];
  for (const track of sound) lines.push(`#EXT-X-MEDIA:${audioAttributes(track, base, sound)}`);
  for (const video of result.video) {
    const allowed = growing?.maxBitrates.get(video.name) ?? 0;
    const attributes = [
      `BANDWIDTH=${Math.max(declaredPeak(video, options), allowed) + audioPeak}`,
      `AVERAGE-BANDWIDTH=${averageBitrate(video) + audioAverage}`,
      `CODECS="${[video.codecs, ...new Set(sound.map((track) => track.codecs))].join(",")}"`,
      `RESOLUTION=${video.width}x${video.height}`,
      ...(video.frameRate ? [`FRAME-RATE=${(video.frameRate.num / video.frameRate.den).toFixed(3)}`] : []),
      "VIDEO-RANGE=SDR",
      ...(sound.length > 0 ? ['AUDIO="audio"'] : []),
    ];
    lines.push(`#EXT-X-STREAM-INF:${attributes.join(",")}`, `${base}${video.name}/playlist.m3u8`);
  }
  for (const video of result.video.filter(hasKeyFrames)) {
    const { peak, average } = keyFrameBitrates(video);
    const attributes = [
      `BANDWIDTH=${peak}`,
      `AVERAGE-BANDWIDTH=${average}`,
      `CODECS="${video.codecs}"`,
      `RESOLUTION=${video.width}x${video.height}`,
      "VIDEO-RANGE=SDR",
      `URI="${base}${video.name}/iframes.m3u8"`,
    ];
    lines.push(`#EXT-X-I-FRAME-STREAM-INF:${attributes.join(",")}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Writes the HLS media playlist of one track (`{name}/playlist.m3u8`). Paths are relative to it. */
export function hlsMedia(track: TrackResult, options: StreamOptions = {}): string {
  const lines = mediaHeader(track, options);
  track.segments.forEach((segment, index) => {
    lines.push(`#EXTINF:${(segment.duration / track.timescale).toFixed(6)},`, `${index + 1}.m4s`);
  });
  return finished(lines, options);
}

/** Writes the playlist of a rendition's key frames (`{name}/iframes.m3u8`), for seeking with pictures: the beginning of each segment, by byte range. */
export function hlsKeyFrames(track: TrackResult, options: StreamOptions = {}): string {
  const lines = mediaHeader(track, options, "#EXT-X-I-FRAMES-ONLY");
  track.segments.forEach(({ duration, keyFrameBytes = 0 }, index) => {
    const length = (duration / track.timescale).toFixed(6);
    lines.push(`#EXTINF:${length},`, `#EXT-X-BYTERANGE:${keyFrameBytes}@0`, `${index + 1}.m4s`);
  });
  return finished(lines, options);
}

/** Whether it is known where each segment's first picture ends. */
export function hasKeyFrames(track: TrackResult): boolean {
  return track.segments.length > 0 && track.segments.every((segment) => (segment.keyFrameBytes ?? 0) > 0);
}

function mediaHeader(track: TrackResult, options: StreamOptions, ...more: string[]): string[] {
  return [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    `#EXT-X-TARGETDURATION:${targetDuration(track, options)}`,
    "#EXT-X-MEDIA-SEQUENCE:1",
    `#EXT-X-PLAYLIST-TYPE:${options.growing ? "EVENT" : "VOD"}`,
    "#EXT-X-INDEPENDENT-SEGMENTS",
    // Or players would begin where it grows, as if it were live.
    ...(options.growing ? ["#EXT-X-START:TIME-OFFSET=0,PRECISE=YES"] : []),
    ...more,
    '#EXT-X-MAP:URI="init.mp4"',
  ];
}

function finished(lines: string[], options: StreamOptions): string {
  return `${[...lines, ...(options.growing ? [] : ["#EXT-X-ENDLIST"])].join("\n")}\n`;
}

/**
 * The peak that is declared of a track: over runs of segments as long as the playlist's target duration, and as long as its longest segment, where the target is longer since the playlist
 * grew. Whoever measures by either finds no more than this.
 */
export function declaredPeak(track: TrackResult, options: StreamOptions = {}): number {
  return Math.max(
    peakBitrate(track, targetDuration(track, options)),
    options.targetSeconds === undefined ? 0 : peakBitrate(track, targetDuration(track)),
  );
}

/** EXT-X-TARGETDURATION in seconds: no segment's length, rounded to the nearest second, is above it. At least 1. */
export function targetDuration(track: TrackResult, { targetSeconds = 1 }: StreamOptions = {}): number {
  return track.segments.reduce(
    (target, segment) => Math.max(target, Math.round(segment.duration / track.timescale)),
    Math.max(1, Math.round(targetSeconds)),
  );
}

function audioAttributes(track: TrackResult, base: string, all: readonly TrackResult[]): string {
  const language = languageTag(track.language);
  const isFirst = track === all[0];
  const name = language ? languageName(language) : "Audio";
  // Names must differ within a group.
  const others = all.slice(0, all.indexOf(track)).filter((one) => (languageTag(one.language) ?? "Audio") === name);
  return [
    "TYPE=AUDIO",
    'GROUP-ID="audio"',
    `NAME="${name}${others.length > 0 ? ` ${others.length + 1}` : ""}"`,
    ...(language ? [`LANGUAGE="${language}"`] : []),
    `DEFAULT=${isFirst ? "YES" : "NO"}`,
    "AUTOSELECT=YES",
    `CHANNELS="${track.channels}"`,
    `URI="${base}${track.name}/playlist.m3u8"`,
  ].join(",");
}
