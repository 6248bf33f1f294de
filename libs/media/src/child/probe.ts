import { AV_DISPOSITION_ATTACHED_PIC } from "node-av/constants";
import { avGetCodecName, type Stream } from "node-av/lib";
import type { ByteSource } from "../source/byte-source.ts";
import { isCut } from "../source/completeness.ts";
import { sniff } from "../source/sniff.ts";
import { TaskError } from "../task-error.ts";
import type { AudioTrack, MediaInfo, VideoTrack } from "../types.ts";
import { countFrames } from "./count-frames.ts";
import { isDecodable } from "./decoder.ts";
import { type Demuxer, isTooLarge, openDemuxer } from "./demuxer.ts";
import { type Scan, scanPackets } from "./scan.ts";

/** Told now and then how far the probe is. */
export type ProbeListener = (progress: { frames: number; fraction: number }) => void;

/**
 * Finds out what a source contains. The whole file is read, so that the number of frames, the length and a variable rate are facts; only its beginning is
 * decoded, unless a packet isn't always a frame. Rejects with `input` for what can't be encoded, in words for a person.
 */
export async function probe(source: ByteSource, onProgress: ProbeListener): Promise<MediaInfo> {
  const refusal = sniff(await source.read(0, 4096), source.size);
  if (refusal !== undefined) throw new TaskError("input", refusal);
  const demuxer = await open(source);
  const video = chooseVideo(demuxer);
  const audio = chooseAudio(demuxer);
  const media = { format: demuxer.format, audio: audio.map(describeAudio) };
  if (!video) return { ...media, durationSeconds: demuxer.declaredSeconds ?? 0 };
  if (isTooLarge(video)) {
    return { ...media, durationSeconds: demuxer.declaredSeconds ?? 0, video: describeUndecoded(video) };
  }
  if (!isDecodable(video)) {
    const name = avGetCodecName(video.codecpar.codecId) ?? "an unknown format";
    throw new TaskError("input", `The video track is in a format that Kinora cannot read (${name}).`);
  }

  const follow = (from: Demuxer) => (frames: number) => onProgress({ frames, fraction: from.position() / source.size });
  const scan = await scanPackets(demuxer, video, audio, follow(demuxer));
  await refuseIfCut(source, demuxer, video, scan);
  const frames = scan.packetsAreFrames ? scan.times : await count(source, video.index, follow);
  if (!scan.facts) throw new TaskError("input", "No picture of this video can be decoded: it is damaged.");
  const start = scan.firstPicture ?? frames.first;
  // A track without a packet is no sound: screen recorders leave such.
  const [main, ...others] = audio.filter((track) => scan.audioEnds.has(track.index));
  const audioEnd = (main && scan.audioEnds.get(main.index)) ?? 0;
  return {
    ...media,
    audio: main ? [main, ...others].map(describeAudio) : [],
    durationSeconds: Math.max(frames.end, audioEnd) - start,
    video: {
      streamIndex: video.index,
      codec: avGetCodecName(video.codecpar.codecId) ?? "",
      ...scan.facts,
      frameRate: frames.frameRate,
      variableFrameRate: frames.variable,
      frameCount: frames.count,
      startSeconds: start,
    },
  };
}

/** Reads the source once more to count its frames. */
async function count(source: ByteSource, streamIndex: number, follow: (from: Demuxer) => (frames: number) => void) {
  const demuxer = await openDemuxer(source);
  const video = demuxer.streams[streamIndex];
  if (!video) throw new TaskError("machine", "The source changed while it was read.");
  const frames = await countFrames(demuxer, video, follow(demuxer));
  await demuxer.close();
  return frames;
}

/** Opens the source; where that fails because its end, with the index, is missing, says so. */
async function open(source: ByteSource): Promise<Demuxer> {
  try {
    return await openDemuxer(source);
  } catch (error) {
    if (error instanceof TaskError && error.kind === "input" && (await isCut("mov", source))) {
      throw new TaskError(
        "input",
        "The file ends early, before the index that a player needs: it was cut off, perhaps in an upload or while it was recorded. Send the complete file.",
        { cause: error },
      );
    }
    throw error;
  }
}

function chooseVideo(demuxer: Demuxer): Stream | undefined {
  const best = demuxer.best("video");
  // Cover pictures of audio files are video streams to FFmpeg.
  return best && !best.hasDisposition(AV_DISPOSITION_ATTACHED_PIC) ? best : undefined;
}

/** The tracks that can be decoded, in the file's order. Phones add tracks in formats of their own beside a common one. */
function chooseAudio(demuxer: Demuxer): Stream[] {
  const kind = demuxer.best("audio")?.codecpar.codecType;
  const tracks = demuxer.streams.filter((stream) => stream.codecpar.codecType === kind);
  const usable = tracks.filter(
    (stream) => isDecodable(stream) && stream.codecpar.sampleRate > 0 && stream.codecpar.channels > 0,
  );
  if (tracks.length > 0 && usable.length === 0) {
    throw new TaskError("input", "The audio track is in a format that Kinora cannot read.");
  }
  return usable;
}

function describeAudio(stream: Stream): AudioTrack {
  const language = stream.metadata?.get("language");
  return {
    streamIndex: stream.index,
    codec: avGetCodecName(stream.codecpar.codecId) ?? "",
    sampleRate: stream.codecpar.sampleRate,
    channels: stream.codecpar.channels,
    language: language && language !== "und" ? language : "",
  };
}

/** A track that is refused for its size: nothing of it was decoded. */
function describeUndecoded(stream: Stream): VideoTrack {
  return {
    streamIndex: stream.index,
    codec: avGetCodecName(stream.codecpar.codecId) ?? "",
    width: stream.codecpar.width,
    height: stream.codecpar.height,
    rotation: 0,
    frameRate: { num: stream.avgFrameRate.num, den: stream.avgFrameRate.den },
    variableFrameRate: false,
    frameCount: Number(stream.nbFrames),
    pixelFormat: "",
    colorTransfer: "",
    interlaced: false,
    startSeconds: 0,
    fullRange: false,
  };
}

/**
 * Refuses a file whose end is missing by its own structure. Some recorders write a length that is a little too large: where the index counts the packets and all of them are there,
 * that is no harm.
 */
async function refuseIfCut(source: ByteSource, demuxer: Demuxer, video: Stream, scan: Scan): Promise<void> {
  const counted = Number(video.nbFrames);
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
