import { timestampDate, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Encode, MediaInfo, TrackResult, Video } from "@kinora/proto-encoder";
import { formatBitrate, formatBytes, formatDuration, formatFrameRate, formatTime } from "./format.ts";
import { encodeStatus, videoStatus } from "./status.ts";
import { printable } from "./text-width.ts";

/** A named fact; several values stand below each other. */
export type Fact = [name: string, ...values: string[]];

/** What `kinora show` tells of a video. */
export function videoFacts(video: Video): Fact[] {
  return [
    ["Video", printable(video.name)],
    ["ID", video.id],
    ["State", videoStatus(video).text],
    ["Size", formatBytes(Number(video.sizeBytes))],
    ["Sent", video.createTime ? formatTime(timestampDate(video.createTime)) : "?"],
  ];
}

/** What `kinora show` tells of an encode. */
export function encodeFacts(encode: Encode): Fact[] {
  const { createTime, finishTime } = encode;
  const took =
    createTime && finishTime
      ? `, after ${formatDuration((timestampMs(finishTime) - timestampMs(createTime)) / 1000)}`
      : "";
  return [
    ["Encode", encode.id],
    ["State", `${encodeStatus(encode).text}${took}${encode.attempt > 1 ? `, attempt ${encode.attempt}` : ""}`],
    ...(encode.error ? [["Error", printable(encode.error)] satisfies Fact] : []),
    ...(encode.media ? [["Source", ...mediaLines(encode.media)] satisfies Fact] : []),
    ...ladderFacts(encode),
    ...playbackFacts(encode),
  ];
}

/** Where a stream plays. Not every stream has a poster. */
function playbackFacts({ playback, result }: Encode): Fact[] {
  if (!playback) return [];
  const poster: Fact[] = result?.poster ? [["Poster", playback.posterUrl]] : [];
  const page: Fact[] = playback.pageUrl ? [["Watch", playback.pageUrl]] : [];
  return [...page, ["HLS", playback.hlsUrl], ["DASH", playback.dashUrl], ...poster];
}

function mediaLines({ video, audio, durationSeconds, format }: MediaInfo): string[] {
  const lines = [`${formatDuration(durationSeconds)}, ${printable(format)}`];
  if (video) {
    const rate = video.frameRate
      ? `, ${formatFrameRate(video.frameRate)} fps${video.variableFrameRate ? " (variable)" : ""}`
      : "";
    const turned = video.rotation ? `, turned by ${video.rotation}°` : "";
    lines.push(`${video.width}×${video.height} ${printable(video.codec)}${rate}${turned}, ${video.frameCount} frames`);
  }
  for (const track of audio) {
    const language = track.language ? `, ${printable(track.language)}` : "";
    lines.push(`${printable(track.codec)}, ${track.sampleRate} Hz, ${track.channels} channels${language}`);
  }
  return lines;
}

/** The finished tracks with their measured figures; before that, what is planned. */
function ladderFacts({ result, plan }: Encode): Fact[] {
  if (result) {
    const tracks = result.audio ? [...result.video, result.audio] : result.video;
    return [["Ladder", ...tracks.map(trackLine)]];
  }
  const planned = plan?.video?.renditions ?? [];
  if (planned.length === 0) return [];
  return [["Planned", ...planned.map(({ name, width, height }) => `${printable(name)}: ${width}×${height}`)]];
}

function trackLine(track: TrackResult): string {
  const bytes = track.segments.reduce((sum, segment) => sum + segment.bytes, track.initBytes);
  const units = track.segments.reduce((sum, segment) => sum + segment.duration, 0);
  const seconds = track.timescale > 0 ? units / track.timescale : 0;
  const shape = track.height > 0 ? `${track.width}×${track.height}, ${track.frames} frames` : `${track.sampleRate} Hz`;
  const rate = seconds > 0 ? `, ${formatBitrate((bytes * 8) / seconds)}` : "";
  return `${printable(track.name)}: ${shape}, ${printable(track.codecs)}${rate}, ${formatBytes(bytes)}`;
}

/** Lays facts out under each other. */
export function renderFacts(facts: readonly Fact[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts
    .flatMap(([name, ...values]) =>
      values.map((value, index) => `${(index === 0 ? name : "").padEnd(width)}  ${value}\n`),
    )
    .join("");
}
