import {
  AV_NOPTS_VALUE,
  AVDISCARD_ALL,
  AVERROR_EOF,
  AVFMT_TS_DISCONT,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
  AVSEEK_CUR,
  AVSEEK_END,
  AVSEEK_FLAG_BACKWARD,
  AVSEEK_SET,
  AVSEEK_SIZE,
} from "node-av/constants";
import { Dictionary, FFmpegError, FormatContext, IOContext, type Packet, type Stream } from "node-av/lib";
import { limits } from "../plan/plan-encode.ts";
import type { ByteSource } from "../source/byte-source.ts";
import { TaskError } from "../task-error.ts";
import { AVERROR_EIO, AVERROR_ENOMEM } from "./av.ts";
import { createTimeline } from "./timeline.ts";

/** A container being read. */
export type Demuxer = {
  /** FFmpeg's name of the container. */
  format: string;
  streams: Stream[];
  /** The length that the header states; undefined if it states none. An estimate in formats that have none to state. */
  declaredSeconds: number | undefined;
  /** The stream that FFmpeg finds best to show or hear; undefined if there is none. */
  best(kind: "video" | "audio"): Stream | undefined;
  /** Only packets of these streams are read from now on. */
  select(streams: Stream[]): void;
  /** Reads the next packet, with times that run on over the jumps of broadcast recordings. False at the end. */
  read(packet: Packet): Promise<boolean>;
  /** Goes to a place at or before a time of a stream, in its units; where exactly, the container decides. False if it can't. */
  seek(stream: Stream, pts: number): Promise<boolean>;
  /** Whether reading ended with an error instead of the file's end. */
  damaged(): boolean;
  /** Whether the clock has started anew on the way. */
  jumped(): boolean;
  /** Bytes read so far, as a position in the file. */
  position(): number;
  close(): Promise<void>;
};

/**
 * The containers that may be opened, by FFmpeg's names: those that hold video themselves. Playlists, manifests, lists for joining, pictures, subtitles,
 * devices and protocols are not among them, so that no upload can make FFmpeg open anything else.
 */
const containers = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,ogg,flv,asf,mxf,dv,rm,ivf,aac,mp3,wav,flac";

/** More pixels than the plan allows, since coded pictures are rounded up to whole blocks. */
export const decoderPixels = limits.pixels + 2_000_000;

const maxStreams = 64;

/** Whether a track's pictures are larger than the plan allows, by its header. */
export function isTooLarge({ codecpar: { width, height } }: Stream): boolean {
  return Math.max(width, height) > limits.side || width * height > limits.pixels;
}

/** Opens a source as a container. Rejects with `input` when it is none that may be opened. */
export async function openDemuxer(source: ByteSource): Promise<Demuxer> {
  const { io, position, failure } = reader(source);
  const context = new FormatContext();
  context.allocContext();
  context.pb = io;
  // FFmpeg gets bytes, not addresses: there is no protocol that it could use.
  const options = Dictionary.fromObject({
    format_whitelist: containers,
    protocol_whitelist: "none",
    max_streams: maxStreams,
    probesize: 20_000_000,
    analyzeduration: 10_000_000,
  });
  const opened = await context.openInput("", null, options);
  if (failure()) throw failure();
  if (opened === AVERROR_ENOMEM) {
    // Nothing small asks for memory that isn't there: this is how FFmpeg says that there are too many tracks or entries.
    throw new TaskError(
      "input",
      `This file can't be read: it has more than ${maxStreams} tracks, or its index claims more than a video can have.`,
      { cause: new FFmpegError(opened) },
    );
  }
  if (opened < 0) {
    throw new TaskError(
      "input",
      "This file is not a video that Kinora can read: its format is unknown, or it is damaged.",
      {
        cause: new FFmpegError(opened),
      },
    );
  }
  // Looking into the streams may decode a picture, without a cap on its size; one that is too large needs no look.
  if (!context.streams.some(isTooLarge)) {
    const found = await context.findStreamInfo(null);
    if (failure()) throw failure();
    if (found < 0) {
      throw new TaskError(
        "input",
        "This file is not a video that Kinora can read: what it contains cannot be made out.",
        {
          cause: new FFmpegError(found),
        },
      );
    }
  }
  const { streams } = context;
  const format = context.iformat?.name ?? "";
  let jumped = false;
  const newTimeline = () =>
    createTimeline(() => {
      jumped = true;
    });
  let timeline = (context.iformat?.flags ?? 0) & AVFMT_TS_DISCONT ? newTimeline() : undefined;
  let ended: number | undefined;
  return {
    format,
    streams,
    declaredSeconds: context.duration === AV_NOPTS_VALUE ? undefined : Number(context.duration) / 1e6,
    best(kind) {
      const index = context.findBestStream(kind === "video" ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO);
      return index < 0 ? undefined : streams[index];
    },
    select(chosen) {
      for (const stream of streams) {
        if (!chosen.some((one) => one.index === stream.index)) stream.discard = AVDISCARD_ALL;
      }
    },
    async read(packet) {
      if (ended !== undefined) return false;
      const code = await context.readFrame(packet);
      if (failure()) throw failure();
      if (code < 0) {
        ended = code;
        return false;
      }
      const stream = streams[packet.streamIndex];
      if (timeline && stream) timeline(packet, stream);
      return true;
    },
    async seek(stream, pts) {
      const code = await context.seekFrame(stream.index, BigInt(Math.floor(pts)), AVSEEK_FLAG_BACKWARD);
      if (failure()) throw failure();
      ended = undefined;
      // What comes next isn't due where the last packet ended.
      timeline &&= newTimeline();
      return code >= 0;
    },
    damaged: () => ended !== undefined && ended !== AVERROR_EOF,
    jumped: () => jumped,
    position,
    close: async () => {
      await context.closeInput();
      io.freeContext();
    },
  };
}

/** FFmpeg's way to the bytes. What goes wrong on it is kept, since FFmpeg itself would only say "I/O error" or end early. */
function reader(source: ByteSource) {
  let at = 0;
  let failed: unknown;
  const io = new IOContext();
  io.allocContextWithCallbacks(
    1 << 18,
    0,
    async (length) => {
      try {
        const bytes = await source.read(at, length);
        at += bytes.length;
        return bytes.length > 0 ? bytes : AVERROR_EOF;
      } catch (error) {
        failed = error;
        return AVERROR_EIO;
      }
    },
    null,
    (offset, whence) => {
      if (whence === AVSEEK_SIZE) return BigInt(source.size);
      const base =
        whence === AVSEEK_SET ? 0 : whence === AVSEEK_CUR ? at : whence === AVSEEK_END ? source.size : undefined;
      const target = base === undefined ? -1 : base + Number(offset);
      if (target < 0) return BigInt(AVERROR_EIO);
      at = target;
      return BigInt(at);
    },
  );
  return { io, position: () => at, failure: () => failed };
}
