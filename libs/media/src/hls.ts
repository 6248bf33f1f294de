import { averageBitrate, peakBitrate } from "./bitrate.ts";
import { languageTag } from "./language.ts";
import type { StreamResult, TrackResult } from "./types.ts";

/**
 * Writes the HLS multivariant playlist (`master.m3u8`, RFC 8216 and its successor draft): a variant for each rendition, with figures measured from
 * the finished segments. Paths are relative to it, below `base` (such as `v2/`) if the stream lies in another folder.
 */
export function hlsMaster(result: StreamResult, base = ""): string {
  const { audio } = result;
  const audioPeak = audio ? peakBitrate(audio, targetDuration(audio)) : 0;
  const audioAverage = audio ? averageBitrate(audio) : 0;
  const lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"];
  if (audio) lines.push(`#EXT-X-MEDIA:${audioAttributes(audio, base)}`);
  for (const video of result.video) {
    const attributes = [
      `BANDWIDTH=${peakBitrate(video, targetDuration(video)) + audioPeak}`,
      `AVERAGE-BANDWIDTH=${averageBitrate(video) + audioAverage}`,
      `CODECS="${[video.codecs, ...(audio ? [audio.codecs] : [])].join(",")}"`,
      `RESOLUTION=${video.width}x${video.height}`,
      ...(video.frameRate ? [`FRAME-RATE=${(video.frameRate.num / video.frameRate.den).toFixed(3)}`] : []),
      "VIDEO-RANGE=SDR",
      ...(audio ? ['AUDIO="audio"'] : []),
    ];
    lines.push(`#EXT-X-STREAM-INF:${attributes.join(",")}`, `${base}${video.name}/playlist.m3u8`);
  }
  return `${lines.join("\n")}\n`;
}

/** Writes the HLS media playlist of one track (`{name}/playlist.m3u8`). Paths are relative to it. */
export function hlsMedia(track: TrackResult): string {
  const lines = [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    `#EXT-X-TARGETDURATION:${targetDuration(track)}`,
    "#EXT-X-MEDIA-SEQUENCE:1",
    "#EXT-X-PLAYLIST-TYPE:VOD",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    '#EXT-X-MAP:URI="init.mp4"',
  ];
  track.segments.forEach((segment, index) => {
    lines.push(`#EXTINF:${(segment.duration / track.timescale).toFixed(6)},`, `${index + 1}.m4s`);
  });
  lines.push("#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}

/** EXT-X-TARGETDURATION in seconds: no segment's length, rounded to the nearest second, is above it. At least 1. */
export function targetDuration(track: TrackResult): number {
  return track.segments.reduce(
    (target, segment) => Math.max(target, Math.round(segment.duration / track.timescale)),
    1,
  );
}

function audioAttributes(audio: TrackResult, base: string): string {
  const language = languageTag(audio.language);
  return [
    "TYPE=AUDIO",
    'GROUP-ID="audio"',
    `NAME="${language ?? "Audio"}"`,
    ...(language ? [`LANGUAGE="${language}"`] : []),
    "DEFAULT=YES",
    "AUTOSELECT=YES",
    `CHANNELS="${audio.channels}"`,
    `URI="${base}${audio.name}/playlist.m3u8"`,
  ].join(",");
}
