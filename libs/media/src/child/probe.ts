import { AV_DISPOSITION_ATTACHED_PIC } from "node-av/constants";
import { avGetCodecName, type Stream } from "node-av/lib";
import type { ByteSource } from "../source/byte-source.ts";
import { isCut } from "../source/completeness.ts";
import { sniff } from "../source/sniff.ts";
import { TaskError } from "../task-error.ts";
import type { AudioTrack, MediaInfo, VideoTrack } from "../types.ts";
import { isDecodable } from "./decoder.ts";
import { type Demuxer, isTooLarge, openDemuxer } from "./demuxer.ts";
import { readSample } from "./sample.ts";

/**
 * Finds out what a source contains from its headers, its index and its first pictures, however long it is. The number of frames and the length are those that the file states, or estimates; whether all of it is there
 * only an analysis tells. Rejects with `input` for what can't be encoded, in words for a person.
 */
export async function probe(source: ByteSource): Promise<MediaInfo> {
  const refusal = sniff(await source.read(0, 4096), source.size);
  if (refusal !== undefined) throw new TaskError("input", refusal);
  const demuxer = await open(source);
  const video = chooseVideo(demuxer);
  const audio = chooseAudio(demuxer);
  const durationSeconds = demuxer.declaredSeconds ?? 0;
  const media = { format: demuxer.format, durationSeconds, audio: audio.map(describeAudio) };
  if (!video) return media;
  if (isTooLarge(video)) return { ...media, video: describeUndecoded(video) };
  if (!isDecodable(video)) {
    const name = avGetCodecName(video.codecpar.codecId) ?? "an unknown format";
    throw new TaskError("input", `The video track is in a format that Kinora cannot read (${name}).`);
  }
  const counted = Number(video.nbFrames);
  const sample = await readSample(demuxer, video);
  if (!sample.facts) throw new TaskError("input", "No picture of this video can be decoded: it is damaged.");
  const { num, den } = video.timeBase;
  const { times } = sample;
  const startPts = sample.firstPicture ?? Math.round((times.first * den) / num);
  const average = video.avgFrameRate;
  const stated = average.num > 0 && average.den > 0 ? { num: average.num, den: average.den } : undefined;
  const isUneven =
    stated !== undefined && !times.variable && Math.abs(ratio(stated) / ratio(times.frameRate) - 1) > 0.02;
  const frameRate = (times.variable || isUneven) && stated ? stated : times.frameRate;
  const estimated = Math.round(durationSeconds * ratio(frameRate));
  return {
    ...media,
    video: {
      streamIndex: video.index,
      codec: avGetCodecName(video.codecpar.codecId) ?? "",
      ...sample.facts,
      frameRate,
      variableFrameRate: times.variable || isUneven,
      // A picture was seen.
      frameCount: Math.max(1, counted > 0 ? counted : estimated),
      frameCountExact: false,
      startSeconds: (startPts * num) / den,
      timeBase: { num, den },
      startPts: BigInt(startPts),
      seekable: isSeekable(demuxer.format, video) && sample.firstPicture !== undefined,
      packetsAreFrames: sample.packetsAreFrames,
    },
  };
}

const ratio = ({ num, den }: { num: number; den: number }) => num / den;

/**
 * Whether a time leads to a frame: in containers that give each its own and have an index of key frames, or can be searched by time. The others (AVI, Ogg, program streams …) guess,
 * and differently after a seek.
 */
function isSeekable(format: string, video: Stream): boolean {
  return /^(mov|matroska|mpegts)\b/.test(format) && video.timeBase.den > 0;
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
