import type { Stream } from "node-av/lib";
import { codeFrameTimes, sceneChangesByKeyframes } from "../frame-table.ts";
import { refuseLength } from "../plan/plan-encode.ts";
import type { ByteSource } from "../source/byte-source.ts";
import { isCut } from "../source/completeness.ts";
import { TaskError } from "../task-error.ts";
import type { EncodePlan, FrameTable, MediaInfo, VideoTrack } from "../types.ts";
import { countFrames } from "./count-frames.ts";
import { type Demuxer, openDemuxer } from "./demuxer.ts";
import type { ProgressListener } from "./perform.ts";
import { readSample } from "./sample.ts";
import { type Scan, scanPackets } from "./scan.ts";
import { findScenes } from "./scenes.ts";

/** What an analysis knows beyond the table. */
export type Analysis = { table: FrameTable; scan: Scan; times: Scan["times"] };

/** Finds every frame of a source's video track: see `scanSource`. With the plan of its head, looks for scenes where that will be cut; then only, pictures are decoded for it. */
export async function analyse(
  source: ByteSource,
  { media, plan }: { media: MediaInfo; plan?: EncodePlan | undefined },
  onProgress: ProgressListener,
): Promise<FrameTable> {
  const { table } = await scanSource(source, media, onProgress);
  const { video: track } = media;
  if (!plan || !track) return table;
  const opened = await openVideo(source, track);
  const onPicture = () => onProgress({ frames: table.frameCount, fraction: 1 });
  const sceneChanges = await findScenes(opened, { track, table, plan, bytes: source.size }, onPicture);
  await opened.demuxer.close();
  return { ...table, sceneChanges };
}

/**
 * Reads all of a source. Decodes nothing, unless a packet isn't always a frame: then it decodes everything, and no estimate takes its place. Rejects with `input` if the source ends early or holds no picture.
 */
export async function scanSource(
  source: ByteSource,
  media: MediaInfo,
  onProgress: ProgressListener,
): Promise<Analysis> {
  const { video: track } = media;
  if (!track) throw new TaskError("input", "This file contains no video track.");
  const { startSeconds } = track;
  const follow = (from: Demuxer) => (frames: number) => onProgress({ frames, fraction: from.position() / source.size });
  const opened = () => openVideo(source, track);
  const sample = knownSample(track) ?? (await sampleAgain(await opened()));

  const { demuxer, video } = await opened();
  const audio = media.audio.flatMap((track) => demuxer.streams[track.streamIndex] ?? []);
  const scan = await scanPackets(demuxer, video, audio, follow(demuxer));
  await refuseIfCut(source, demuxer, scan, Number(video.nbFrames));
  refuseIfMissing(demuxer, video, scan);
  refuseIfLate(scan.times);
  const sound = refuseLength(Math.max(0, ...scan.audioEnds.values().map((end) => end - startSeconds)), "sound");
  if (sound !== undefined) throw new TaskError("input", sound);
  const timeBase = { num: video.timeBase.num, den: video.timeBase.den };
  await demuxer.close();
  let { times, frameTimes } = scan;
  if (!sample.packetsAreFrames) {
    const again = await opened();
    ({ times, frameTimes } = await countFrames(again.demuxer, again.video, follow(again.demuxer)));
    await again.demuxer.close();
    refuseIfUndecodable(times.count, scan.coded, sample.interlaced);
  }
  // Packets before the first picture that can be decoded show nothing; where times are guesses, they don't tell which these are.
  const start = track.seekable === false ? Number.MIN_SAFE_INTEGER : (sample.firstPicture ?? frameTimes[0] ?? 0);
  const shown = frameTimes.filter((time) => time >= start);
  const keyframes = scan.keyframes.filter((time) => time >= start).sort((one, other) => one - other);
  const damage =
    shown.length < times.count
      ? [
          {
            pts: BigInt(shown[0] ?? 0),
            message: `${times.count - shown.length} frames at the beginning cannot be decoded or carry no time.`,
          },
        ]
      : [];
  const table: FrameTable = {
    timeBase,
    ...codeFrameTimes(shown, Math.round((times.end * timeBase.den) / timeBase.num)),
    keyframePts: keyframes.map(BigInt),
    sceneChanges: sceneChangesByKeyframes(keyframes),
    damage,
    ...(scan.lastCut === undefined ? {} : { lastCutPts: BigInt(scan.lastCut) }),
  };
  return { table, scan, times };
}

/** What the first packets tell of the rest. */
type FirstPackets = { firstPicture: number | undefined; packetsAreFrames: boolean; interlaced: boolean };

/** What the probe has seen of the first packets, where that is all there is to know: the first picture is then where a seekable track starts. */
function knownSample({ packetsAreFrames, seekable, startPts, interlaced }: VideoTrack): FirstPackets | undefined {
  if (!packetsAreFrames || !seekable || startPts === undefined) return undefined;
  return { firstPicture: Number(startPts), packetsAreFrames, interlaced };
}

/** Decodes the first packets. Rejects with `input` if there is no picture among them. */
async function sampleAgain({ demuxer, video }: { demuxer: Demuxer; video: Stream }): Promise<FirstPackets> {
  const { facts, firstPicture, packetsAreFrames } = await readSample(demuxer, video);
  await demuxer.close();
  if (!facts) throw new TaskError("input", "No picture of this video can be decoded: it is damaged.");
  return { firstPicture, packetsAreFrames, interlaced: facts.interlaced };
}

async function openVideo(
  source: ByteSource,
  { streamIndex }: VideoTrack,
): Promise<{ demuxer: Demuxer; video: Stream }> {
  const demuxer = await openDemuxer(source);
  const video = demuxer.streams[streamIndex];
  if (!video) throw new TaskError("machine", "The source changed while it was read.");
  return { demuxer, video };
}

/** Less than this part of the coded pictures means that the source is broken, rather than flawed. */
const leastPart = 0.9;

/** Refuses a file whose clock goes back, where its container has one clock for all: nobody can tell when these pictures are meant to be seen. */
function refuseIfLate({ count, late }: Scan["times"]): void {
  if (late <= count * (1 - leastPart)) return;
  throw new TaskError(
    "input",
    `The times of this file go back: ${late} of its ${count} pictures come after later ones. Save it anew with another program.`,
  );
}

/** Refuses a file of which too little can be decoded: what is left of it would pass for the whole. Two fields may be one picture. */
function refuseIfUndecodable(pictures: number, coded: number, isInterlaced: boolean): void {
  const expected = isInterlaced ? coded / 2 : coded;
  if (pictures >= expected * leastPart) return;
  throw new TaskError(
    "input",
    `Only ${pictures} of ${Math.round(expected)} pictures can be decoded: the file is damaged. Send it again, or another copy.`,
  );
}

/**
 * Refuses an MP4 whose index doesn't lead to most of the pictures that it counts. An edit list may hide some; then the track is as short as it says.
 */
function refuseIfMissing({ format }: Demuxer, video: Stream, { packets, times }: Scan): void {
  const counted = Number(video.nbFrames);
  if (!format.startsWith("mov") || packets >= counted * leastPart) return;
  const { num, den } = video.timeBase;
  if (times.end >= ((Number(video.duration) * num) / den) * leastPart) return;
  throw new TaskError(
    "input",
    `Only ${packets} of ${counted} pictures can be found: the file's index is damaged. Send it again, or another copy.`,
  );
}

/**
 * Refuses a file whose end is missing by its own structure. Some recorders write a length that is a little too large: where the index counts the packets and all of them are there,
 * that is no harm.
 */
async function refuseIfCut(source: ByteSource, demuxer: Demuxer, scan: Scan, counted: number): Promise<void> {
  const hasAll = counted > 0 && scan.packets >= counted;
  if (hasAll || !(await isCut(demuxer.format, source))) return;
  const { declaredSeconds = 0 } = demuxer;
  const end = `${Math.round(scan.end)} s`;
  const place = declaredSeconds > scan.end + 0.5 ? `${end} of ${Math.round(declaredSeconds)} s` : end;
  throw new TaskError(
    "input",
    `The file ends early, at about ${place}: it was cut off, perhaps in an upload. Send the complete file.`,
  );
}
