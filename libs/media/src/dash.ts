import { trackSeconds } from "./bitrate.ts";
import { declaredPeak } from "./hls.ts";
import { languageTag } from "./language.ts";
import type { StreamOptions } from "./stream-options.ts";
import { audioTracksOf, tracksOf } from "./tracks.ts";
import type { Storyboard, StreamResult, TrackResult } from "./types.ts";

/** How often players look for more of a growing stream. */
const updatePeriod = "PT2S";

/**
 * Writes the DASH manifest (`manifest.mpd`, ISO/IEC 23009-1, live profile; dynamic while the stream grows, then static) over the same segments as the HLS playlists. Paths are relative to it.
 * All renditions share one timeline: the encode makes sure that their segments begin at the same times.
 */
export function dashManifest(result: StreamResult, options: StreamOptions = {}): string {
  const { base = "", growing } = options;
  const tracks = tracksOf(result);
  const seconds = Math.max(0, ...tracks.map((track) => track.start / track.timescale + trackSeconds(track)));
  const longest = Math.max(
    options.targetSeconds ?? 0,
    tracks.reduce((most, track) => Math.max(most, longestSegment(track)), 0),
  );
  const kind = growing
    ? `type="dynamic" availabilityStartTime="${growing.availableSince.toISOString()}" minimumUpdatePeriod="${updatePeriod}"`
    : `type="static" mediaPresentationDuration="${isoDuration(seconds)}"`;
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019"' +
      ` ${kind} maxSegmentDuration="${isoDuration(longest)}" minBufferTime="${isoDuration(longest)}">`,
    ...(base === "" ? [] : [`  <BaseURL>${base}</BaseURL>`]),
    '  <Period id="1" start="PT0S">',
    ...(result.video.length > 0 ? videoSet(result.video, options) : []),
    ...audioTracksOf(result).flatMap((track, index) => audioSet(track, index + 2, options)),
    // Its pictures are made of the whole video, so a growing stream's don't follow.
    ...(result.storyboard && !growing ? imageSet(result.storyboard) : []),
    "  </Period>",
    "</MPD>",
  ].join("\n")}\n`;
}

const longestSegment = (track: TrackResult) =>
  track.segments.reduce((most, segment) => Math.max(most, segment.duration), 0) / track.timescale;

/** Thumbnails by the DASH-IF's guidelines: each file is a tile of small pictures. */
function imageSet({ width, height, columns, rows, intervalSeconds, files }: Storyboard): string[] {
  const seconds = intervalSeconds * columns * rows;
  const [first = ""] = files;
  const bandwidth = 50_000;
  return [
    '    <AdaptationSet id="100" contentType="image" mimeType="image/jpeg">',
    `      <SegmentTemplate timescale="1000" duration="${Math.round(seconds * 1000)}" media="${first.replace("-1.", "-$Number$.")}" startNumber="1"/>`,
    `      <Representation id="storyboard" width="${width * columns}" height="${height * rows}" bandwidth="${bandwidth}">`,
    `        <EssentialProperty schemeIdUri="http://dashif.org/guidelines/thumbnail_tile" value="${columns}x${rows}"/>`,
    "      </Representation>",
    "    </AdaptationSet>",
  ];
}

function videoSet(tracks: TrackResult[], options: StreamOptions): string[] {
  const [first] = tracks;
  return [
    '    <AdaptationSet id="1" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">',
    ...(first ? segmentTemplate(first) : []),
    ...tracks.map((track) => {
      const rate = track.frameRate ? ` frameRate="${track.frameRate.num}/${track.frameRate.den}"` : "";
      return `      <Representation id="${track.name}" codecs="${track.codecs}" width="${track.width}" height="${track.height}" sar="1:1"${rate} bandwidth="${bandwidth(track, options)}"/>`;
    }),
    "    </AdaptationSet>",
  ];
}

function audioSet(track: TrackResult, id: number, options: StreamOptions): string[] {
  const language = languageTag(track.language);
  return [
    `    <AdaptationSet id="${id}" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" startWithSAP="1"${language ? ` lang="${language}"` : ""}>`,
    ...segmentTemplate(track),
    `      <Representation id="${track.name}" codecs="${track.codecs}" audioSamplingRate="${track.sampleRate}" bandwidth="${bandwidth(track, options)}">`,
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
function bandwidth(track: TrackResult, options: StreamOptions): number {
  const allowed = options.growing?.maxBitrates.get(track.name) ?? 0;
  return Math.max(declaredPeak(track, options), allowed);
}

/** Seconds as an XML duration, to the millisecond, rounded up: a presentation must not end before its last segment. */
function isoDuration(seconds: number): string {
  return `PT${Math.ceil(Number((seconds * 1000).toFixed(3))) / 1000}S`;
}
