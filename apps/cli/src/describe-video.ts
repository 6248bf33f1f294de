import { timestampDate, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type Encode,
  type EncodePlan,
  EncodeState,
  type MediaInfo,
  type TrackProgress,
  type TrackResult,
  type Video,
} from "@kinora/proto-encoder";
import {
  formatBitrate,
  formatBytes,
  formatDuration,
  formatFrameRate,
  formatPercent,
  formatTime,
  paceOf,
} from "./format.ts";
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
    ...(encode.notice ? [["Notice", printable(encode.notice)] satisfies Fact] : []),
    ...(encode.media ? [["Source", ...mediaLines(encode.media, encode.plan)] satisfies Fact] : []),
    ...(encode.profile ? [["Profile", printable(encode.profile)] satisfies Fact] : []),
    ...progressFacts(encode),
    ...ladderFacts(encode),
    ...curveFacts(encode),
    ...checkFacts(encode),
    ...failureFacts(encode),
    ...playbackFacts(encode),
  ];
}

/** How far it is, and what waits for what. */
function progressFacts({ state, progress }: Encode): Fact[] {
  if (!progress || !underWay.has(state)) return [];
  const { fraction, chunks, chunksDone, runningTasks, playableSeconds, waiting, tracks } = progress;
  const lines = [
    [formatPercent(fraction), ...paceOf(progress)].join(", "),
    ...(chunks > 0 ? [`${chunksDone} of ${chunks} chunks done, ${runningTasks} tasks under way`] : []),
    ...(playableSeconds > 0 ? [`plays up to ${formatDuration(playableSeconds)}`] : []),
    ...waiting.map(printable),
    ...tracks.map(progressOfTrack),
  ];
  return [["Progress", ...lines]];
}

function progressOfTrack(track: TrackProgress): string {
  const { name, fraction, bytes } = track;
  const size = bytes > 0n ? [formatBytes(Number(bytes))] : [];
  return `${printable(name)}: ${[formatPercent(fraction), ...paceOf(track), ...size].join(", ")}`;
}

const underWay = new Set<EncodeState>([
  EncodeState.QUEUED,
  EncodeState.PROBING,
  EncodeState.PLANNED,
  EncodeState.ENCODING,
  EncodeState.VERIFYING,
]);

/** The trials that a ladder was chosen by. */
function curveFacts({ plan }: Encode): Fact[] {
  const ladder = plan?.ladder;
  if (!ladder) return [];
  const points = ladder.hull.map(({ width, height, crf, bitrate, quality }) => {
    const xpsnr = quality && quality.frames > 0 ? `, XPSNR ${(quality.xpsnrSum / quality.frames).toFixed(2)} dB` : "";
    return `${width}×${height} at ${crf}: ${formatBitrate(bitrate)}${xpsnr}`;
  });
  return [["Curve", printable(ladder.reason), ...points]];
}

/** What the verification found: a line for each check that didn't simply pass, and how many did. */
function checkFacts({ verification }: Encode): Fact[] {
  if (!verification) return [];
  const { checks, passed } = verification;
  const plain = checks.filter((check) => check.outcome === "passed").length;
  const others = checks
    .filter((check) => check.outcome !== "passed")
    .map(
      ({ outcome, name, track, detail }) =>
        `${outcome}: ${printable(name)}${track ? ` of ${printable(track)}` : ""}: ${printable(detail)}`,
    );
  return [
    ["Checked", `${passed ? "passed" : "failed"}, ${plain} of ${checks.length} checks as they must be`, ...others],
  ];
}

/** Tasks that were given up, unless their reason is all that the encode's error says. */
function failureFacts({ error, failedTasks, retryable, id }: Encode): Fact[] {
  const lines = failedTasks
    .filter(({ reason }) => reason !== error)
    .map(({ work, attempts, reason }) => {
      return `${printable(work)}, ${attempts} ${attempts === 1 ? "attempt" : "attempts"}: ${printable(reason)}`;
    });
  if (lines.length === 0) return [];
  return [["Given up", ...lines, ...(retryable ? [`kinora retry ${id} tries it again`] : [])]];
}

/** Where a stream plays. Not every stream has a poster. */
function playbackFacts({ playback, result }: Encode): Fact[] {
  if (!playback) return [];
  const poster: Fact[] = result?.poster ? [["Poster", playback.posterUrl]] : [];
  const page: Fact[] = playback.pageUrl ? [["Watch", playback.pageUrl]] : [];
  return [...page, ["HLS", playback.hlsUrl], ["DASH", playback.dashUrl], ...poster];
}

/** The file states a number of frames that may be wrong; once all of it is read, the plan has the real one. */
function mediaLines({ video, audio, durationSeconds, format }: MediaInfo, plan: EncodePlan | undefined): string[] {
  const lines = [`${formatDuration(durationSeconds)}, ${printable(format)}`];
  if (video) {
    const rate = video.frameRate
      ? `, ${formatFrameRate(video.frameRate)} fps${video.variableFrameRate ? " (variable)" : ""}`
      : "";
    const turned = video.rotation ? `, turned by ${video.rotation}°` : "";
    const frames = (plan?.complete && plan.video?.frameCount) || video.frameCount;
    lines.push(`${video.width}×${video.height} ${printable(video.codec)}${rate}${turned}, ${frames} frames`);
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
    const sound = result.audioTracks.length > 0 ? result.audioTracks : result.audio ? [result.audio] : [];
    return [["Ladder", ...[...result.video, ...sound].map(trackLine)]];
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
  const { quality } = track;
  const xpsnr = quality && quality.frames > 0 ? `, XPSNR ${(quality.xpsnrSum / quality.frames).toFixed(1)} dB` : "";
  return `${printable(track.name)}: ${shape}, ${printable(track.codecs)}${rate}, ${formatBytes(bytes)}${xpsnr}`;
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
