import { peakBitrate, trackSeconds } from "./bitrate.ts";
import { targetDuration } from "./hls.ts";
import { languageTag } from "./language.ts";
import type { StreamResult, TrackResult } from "./types.ts";

/**
 * Writes the DASH manifest (`manifest.mpd`, ISO/IEC 23009-1, live profile, static) over the same segments as the HLS playlists. Paths are relative to it,
 * below `base` (such as `v2/`) if the stream lies in another folder.
 * All renditions share one timeline: the encode makes sure that their segments begin at the same times.
 */
export function dashManifest(result: StreamResult, base = ""): string {
  const tracks = [...result.video, ...(result.audio ? [result.audio] : [])];
  const seconds = Math.max(0, ...tracks.map((track) => track.start / track.timescale + trackSeconds(track)));
  const longest = Math.max(0, ...tracks.flatMap((t) => t.segments.map((segment) => segment.duration / t.timescale)));
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019" type="static"' +
      ` mediaPresentationDuration="${isoDuration(seconds)}" maxSegmentDuration="${isoDuration(longest)}" minBufferTime="${isoDuration(longest)}">`,
    ...(base === "" ? [] : [`  <BaseURL>${base}</BaseURL>`]),
    '  <Period id="1" start="PT0S">',
    ...(result.video.length > 0 ? videoSet(result.video) : []),
    ...(result.audio ? audioSet(result.audio) : []),
    "  </Period>",
    "</MPD>",
  ].join("\n")}\n`;
}

function videoSet(tracks: TrackResult[]): string[] {
  const [first] = tracks;
  return [
    '    <AdaptationSet id="1" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">',
    ...(first ? segmentTemplate(first) : []),
    ...tracks.map((track) => {
      const rate = track.frameRate ? ` frameRate="${track.frameRate.num}/${track.frameRate.den}"` : "";
      return `      <Representation id="${track.name}" codecs="${track.codecs}" width="${track.width}" height="${track.height}" sar="1:1"${rate} bandwidth="${bandwidth(track)}"/>`;
    }),
    "    </AdaptationSet>",
  ];
}

function audioSet(track: TrackResult): string[] {
  const language = languageTag(track.language);
  return [
    `    <AdaptationSet id="2" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" startWithSAP="1"${language ? ` lang="${language}"` : ""}>`,
    ...segmentTemplate(track),
    `      <Representation id="${track.name}" codecs="${track.codecs}" audioSamplingRate="${track.sampleRate}" bandwidth="${bandwidth(track)}">`,
    `        <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="${track.channels}"/>`,
    "      </Representation>",
    "    </AdaptationSet>",
  ];
}

function segmentTemplate(track: TrackResult): string[] {
  return [
    `      <SegmentTemplate timescale="${track.timescale}" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="1">`,
    "        <SegmentTimeline>",
    ...runs(track).map(({ duration, repeat }, index) => {
      const start = index === 0 ? ` t="${track.start}"` : "";
      return `          <S${start} d="${duration}"${repeat > 0 ? ` r="${repeat}"` : ""}/>`;
    }),
    "        </SegmentTimeline>",
    "      </SegmentTemplate>",
  ];
}

/** Segments of equal length in a row become one entry. */
function runs(track: TrackResult): { duration: number; repeat: number }[] {
  const entries: { duration: number; repeat: number }[] = [];
  for (const { duration } of track.segments) {
    const last = entries.at(-1);
    if (last?.duration === duration) last.repeat++;
    else entries.push({ duration, repeat: 0 });
  }
  return entries;
}

/** `bandwidth` counts what a player must receive for smooth play: the peak over a segment's length. */
function bandwidth(track: TrackResult): number {
  return peakBitrate(track, targetDuration(track));
}

/** Seconds as an XML duration, to the millisecond, rounded up: a presentation must not end before its last segment. */
function isoDuration(seconds: number): string {
  return `PT${Math.ceil(Number((seconds * 1000).toFixed(3))) / 1000}S`;
}
