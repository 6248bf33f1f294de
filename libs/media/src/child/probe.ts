import { AV_DISPOSITION_ATTACHED_PIC, AV_NOPTS_VALUE, AV_PKT_FLAG_DISCARD } from "node-av/constants";
import { avGetCodecName, Packet, type Stream } from "node-av/lib";
import type { ByteSource } from "../source/byte-source.ts";
import { isCut } from "../source/completeness.ts";
import { sniff } from "../source/sniff.ts";
import { TaskError } from "../task-error.ts";
import type { AudioTrack, MediaInfo, Rational, VideoTrack } from "../types.ts";
import { frameTime, isDecodable, openDecoder } from "./decoder.ts";
import { type Demuxer, isTooLarge, openDemuxer } from "./demuxer.ts";
import { createFrameTimes, type FrameTimesSummary } from "./frame-times.ts";
import { type PictureFacts, pictureFacts } from "./picture.ts";

/** Told now and then how far the probe is. */
export type ProbeListener = (progress: { frames: number; fraction: number }) => void;

/** Packets decoded to learn what pictures are like, and whether each packet is one. */
const samplePackets = 64;

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

  const scan = await scanPackets(demuxer, video, audio, (frames) =>
    onProgress({ frames, fraction: demuxer.position() / source.size }),
  );
  await refuseIfCut(source, demuxer, video, scan);
  const frames = scan.packetsAreFrames ? scan.times : await countFrames(source, video.index, onProgress);
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
    frameRate: ratio(stream.avgFrameRate),
    variableFrameRate: false,
    frameCount: Number(stream.nbFrames),
    pixelFormat: "",
    colorTransfer: "",
    interlaced: false,
    startSeconds: 0,
    fullRange: false,
  };
}

type Scan = {
  times: FrameTimesSummary;
  /** Facts of the first picture; undefined if none could be decoded. */
  facts: PictureFacts | undefined;
  /** When the first picture that can be decoded is shown, in seconds. */
  firstPicture: number | undefined;
  /** Where the last packet of each audio track ends, in seconds, by stream index. */
  audioEnds: Map<number, number>;
  packetsAreFrames: boolean;
  /** Packets of the video track, hidden ones too. */
  packets: number;
  /** Where the last packet of any track ends, in seconds. */
  end: number;
};

async function scanPackets(
  demuxer: Demuxer,
  video: Stream,
  audio: Stream[],
  onFrames: (frames: number) => void,
): Promise<Scan> {
  demuxer.select([video, ...audio]);
  const times = createFrameTimes(ratio(video.timeBase), [ratio(video.avgFrameRate), ratio(video.rFrameRate)]);
  const sample = await createSample(video);
  const packet = new Packet();
  packet.alloc();
  let frames = 0;
  let packets = 0;
  let end = 0;
  const audioEnds = new Map<number, number>();
  while (await demuxer.read(packet)) {
    const stream =
      packet.streamIndex === video.index ? video : audio.find((track) => track.index === packet.streamIndex);
    const time = packet.pts !== AV_NOPTS_VALUE ? packet.pts : packet.dts;
    const known = time !== AV_NOPTS_VALUE;
    const unit = stream ? stream.timeBase.num / stream.timeBase.den : 0;
    const seconds = known ? Number(time) * unit : 0;
    const until = known ? seconds + Number(packet.duration) * unit : 0;
    end = Math.max(end, until);
    const isHidden = packet.hasFlags(AV_PKT_FLAG_DISCARD);
    if (stream === video) {
      packets++;
      if (!isHidden && isShown(packet, video)) {
        times.add(known ? Number(time) : undefined, Number(packet.duration));
        frames++;
      }
      await sample.add(packet, isHidden);
      if (packets % 100 === 0) onFrames(frames);
    } else if (stream && known && !isHidden) {
      audioEnds.set(stream.index, Math.max(audioEnds.get(stream.index) ?? until, until));
    }
    packet.unref();
  }
  packet.free();
  const sampled = await sample.finish();
  return { ...sampled, times: times.summary(), audioEnds, packets, end };
}

/** VP8 has packets that are only for reference (RFC 6386, 9.1: `show_frame`); in all other formats a packet shows a picture. */
function isShown(packet: Packet, stream: Stream): boolean {
  if (avGetCodecName(stream.codecpar.codecId) !== "vp8") return true;
  const [first = 0] = packet.data?.subarray(0, 1) ?? [];
  return (first & 0x10) !== 0;
}

/** Decodes the track's first packets. */
async function createSample(video: Stream) {
  const decoder = await openDecoder(video);
  const unit = video.timeBase.num / video.timeBase.den;
  let packets = 0;
  let frames = 0;
  let interlaced = 0;
  let facts: PictureFacts | undefined;
  let firstPicture: number | undefined;
  let isOpen = true;

  const decode = async (packet: Packet | null) => {
    for await (const frame of decoder.decode(packet)) {
      frames++;
      facts ??= pictureFacts(frame, video);
      const time = frameTime(frame);
      if (time !== undefined) firstPicture = Math.min(firstPicture ?? Number.POSITIVE_INFINITY, Number(time) * unit);
      if (pictureFacts(frame, video).interlaced) interlaced++;
      frame.free();
    }
  };
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    await decode(null);
    decoder.close();
  };
  return {
    async add(packet: Packet, isHidden: boolean) {
      if (!isOpen) return;
      if (!isHidden && isShown(packet, video)) packets++;
      await decode(packet);
      // A damaged beginning may hide the first picture for a while.
      if (packets >= samplePackets && (frames > 0 || packets >= samplePackets * 20)) await close();
    },
    async finish() {
      await close();
      const isInterlaced = interlaced * 2 > frames;
      return {
        facts: facts && { ...facts, interlaced: isInterlaced },
        firstPicture,
        // Fields may come in packets of their own, at any place, so interlaced tracks are counted picture by picture.
        packetsAreFrames: frames === packets && !isInterlaced,
      };
    },
  };
}

/** Decodes the whole track and counts what comes out. */
async function countFrames(
  source: ByteSource,
  streamIndex: number,
  onProgress: ProbeListener,
): Promise<FrameTimesSummary> {
  const demuxer = await openDemuxer(source);
  const video = demuxer.streams[streamIndex];
  if (!video) throw new TaskError("machine", "The source changed while it was read.");
  demuxer.select([video]);
  const times = createFrameTimes(ratio(video.timeBase), [ratio(video.avgFrameRate), ratio(video.rFrameRate)]);
  const decoder = await openDecoder(video);
  const packet = new Packet();
  packet.alloc();
  let frames = 0;
  const count = async (from: Packet | null) => {
    for await (const frame of decoder.decode(from)) {
      const time = frameTime(frame);
      times.add(time === undefined ? undefined : Number(time), Number(frame.duration));
      frame.free();
      if (++frames % 100 === 0) onProgress({ frames, fraction: demuxer.position() / source.size });
    }
  };
  while (await demuxer.read(packet)) {
    if (packet.streamIndex === streamIndex) await count(packet);
    packet.unref();
  }
  await count(null);
  packet.free();
  decoder.close();
  await demuxer.close();
  return times.summary();
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

function ratio({ num, den }: Rational): Rational {
  return { num, den };
}
