/** Makes videos for `makeMedia`. */
import { once } from "node:events";
import {
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_CODEC_FLAG_INTERLACED_DCT,
  AV_CODEC_FLAG_INTERLACED_ME,
  AV_FRAME_FLAG_INTERLACED,
  AV_FRAME_FLAG_TOP_FIELD_FIRST,
  AV_LOG_ERROR,
  AV_PIX_FMT_YUV420P,
  AV_PKT_DATA_DISPLAYMATRIX,
  AV_SAMPLE_FMT_FLTP,
  AVCOL_RANGE_JPEG,
  AVCOL_RANGE_MPEG,
  type AVColorPrimaries,
  type AVColorSpace,
  type AVColorTransferCharacteristic,
  AVERROR_EOF,
  AVFMT_GLOBALHEADER,
  type FFEncoderCodec,
} from "node-av/constants";
import {
  Rational as AvRational,
  avChannelLayoutDefault,
  avGetPixFmtFromName,
  avGetSampleFmtName,
  Codec,
  CodecContext,
  Dictionary,
  FormatContext,
  Frame,
  Log,
  Packet,
  type Stream,
} from "node-av/lib";
import { AVERROR_EAGAIN, check, present } from "../child/av.ts";
import { type Filter, openFilter } from "../child/filter.ts";
import type { MediaSpec } from "./make-media.ts";

process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
Log.setLevel(AV_LOG_ERROR);
const [specs] = (await once(process, "message")) as [MediaSpec[]];
try {
  for (const spec of specs) await make(spec);
  process.send?.({});
} catch (error) {
  process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

type Track = {
  context: CodecContext;
  stream: Stream;
  frames: Generator<Frame>;
  convert: string;
  next: Frame | undefined;
  filter?: Filter;
};

async function make(spec: MediaSpec): Promise<void> {
  const output = new FormatContext();
  check(output.allocOutputContext2(null, spec.format ?? null, spec.path), "open the output");
  const globalHeader = ((output.oformat?.flags ?? 0) & AVFMT_GLOBALHEADER) !== 0;
  const tracks: Track[] = [];
  if (spec.video) tracks.push(await videoTrack(output, spec, spec.video, globalHeader));
  if (spec.audio) {
    for (let index = 0; index < (spec.audio.tracks ?? 1); index++)
      tracks.push(await audioTrack(output, spec, spec.audio, globalHeader));
  }
  check(await output.openOutput(), "open the output");
  check(await output.writeHeader(Dictionary.fromObject(spec.muxerOptions ?? {})), "write the header");
  // The track that is behind goes next.
  for (const track of tracks) track.next = track.frames.next().value ?? undefined;
  for (;;) {
    const track = tracks.filter((one) => one.next).sort((one, other) => seconds(one) - seconds(other))[0];
    if (!track?.next) break;
    await encode(output, track, track.next);
    track.next = track.frames.next().value ?? undefined;
  }
  for (const track of tracks) await encode(output, track, null);
  check(await output.writeTrailer(), "write the trailer");
  await output.closeOutput();
}

function seconds(track: Track): number {
  const { num, den } = track.context.timeBase;
  return track.next ? (Number(track.next.pts) * num) / den : Number.POSITIVE_INFINITY;
}

async function encode(output: FormatContext, track: Track, frame: Frame | null): Promise<void> {
  const frames: (Frame | null)[] = [];
  if (frame) {
    const { num, den } = track.context.timeBase;
    track.filter ??= await openFilter(frame, { num, den }, track.convert);
    for await (const converted of track.filter.push(frame)) frames.push(converted);
  } else {
    if (track.filter) for await (const converted of track.filter.push(null)) frames.push(converted);
    frames.push(null);
  }
  const packet = new Packet();
  packet.alloc();
  for (const one of frames) {
    if (one) one.pictType = 0 as typeof one.pictType;
    check(await track.context.sendFrame(one), "encode");
    for (;;) {
      const code = await track.context.receivePacket(packet);
      if (code === AVERROR_EAGAIN || code === AVERROR_EOF) break;
      check(code, "encode");
      packet.streamIndex = track.stream.index;
      packet.rescaleTs(track.context.timeBase, track.stream.timeBase);
      check(await output.interleavedWriteFrame(packet), "write a packet");
    }
    one?.free();
  }
}

function addStream(output: FormatContext, context: CodecContext): Stream {
  const stream = output.newStream();
  check(stream.codecpar.fromContext(context), "describe a track");
  stream.timeBase = context.timeBase;
  return stream;
}

async function videoTrack(
  output: FormatContext,
  spec: MediaSpec,
  video: NonNullable<MediaSpec["video"]>,
  globalHeader: boolean,
): Promise<Track> {
  const codec = present(Codec.findEncoderByName(video.codec as FFEncoderCodec), `encoder ${video.codec}`);
  const context = new CodecContext();
  context.allocContext3(codec);
  const pixelFormat = video.pixelFormat ?? "yuv420p";
  const timeBase = video.timeBase ?? { num: 1, den: 90_000 };
  context.width = video.width;
  context.height = video.height;
  context.pixelFormat = avGetPixFmtFromName(pixelFormat);
  context.timeBase = new AvRational(timeBase.num, timeBase.den);
  context.framerate = new AvRational(video.frameRate.num, video.frameRate.den);
  const shape = video.sampleAspectRatio ?? { num: 1, den: 1 };
  context.sampleAspectRatio = new AvRational(shape.num, shape.den);
  if (globalHeader) context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  if (video.isInterlaced) context.setFlags(AV_CODEC_FLAG_INTERLACED_DCT, AV_CODEC_FLAG_INTERLACED_ME);
  context.colorRange = video.fullRange ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  if (video.colour) {
    context.colorPrimaries = video.colour.primaries as AVColorPrimaries;
    context.colorTrc = video.colour.transfer as AVColorTransferCharacteristic;
    context.colorSpace = video.colour.matrix as AVColorSpace;
  }
  check(await context.open2(codec, Dictionary.fromObject({ ...video.options })), `open ${video.codec}`);
  const stream = addStream(output, context);
  stream.avgFrameRate = context.framerate;
  stream.sampleAspectRatio = context.sampleAspectRatio;
  if (video.rotation) stream.codecpar.addCodedSideData(AV_PKT_DATA_DISPLAYMATRIX, displayMatrix(video.rotation));
  return {
    context,
    stream,
    frames: pictures(spec, video, timeBase),
    convert: `format=${pixelFormat}`,
    next: undefined,
  };
}

function* pictures(
  spec: MediaSpec,
  video: NonNullable<MediaSpec["video"]>,
  timeBase: { num: number; den: number },
): Generator<Frame> {
  const { frameRate } = video;
  const times = Array.isArray(video.frames)
    ? video.frames
    : Array.from({ length: video.frames }, (_, index) => (index * frameRate.den) / frameRate.num);
  const chromaSize = Math.ceil(video.width / 2) * Math.ceil(video.height / 2);
  for (const [index, time] of times.entries()) {
    const isFlash = time >= spec.flash[0] - 1e-6 && time < spec.flash[1] - 1e-6;
    const luma = Buffer.alloc(video.width * video.height, isFlash ? 220 : 40);
    // A bright corner to tell the top left, and a block that moves, so that pictures differ.
    paint(luma, video.width, 0, 0, Math.floor(video.width / 4), Math.floor(video.height / 4), 200);
    const side = Math.max(2, Math.floor(video.height / 8));
    paint(luma, video.width, (index * 4) % (video.width - side), Math.floor(video.height / 2), side, side, 120);
    const frame = Frame.fromVideoBuffer(Buffer.concat([luma, Buffer.alloc(chromaSize * 2, 128)]), {
      width: video.width,
      height: video.height,
      format: AV_PIX_FMT_YUV420P,
    });
    frame.pts = BigInt(Math.round(((time + (video.startSeconds ?? 0)) * timeBase.den) / timeBase.num));
    frame.colorRange = video.fullRange ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    if (video.colour) {
      frame.colorPrimaries = video.colour.primaries as AVColorPrimaries;
      frame.colorTrc = video.colour.transfer as AVColorTransferCharacteristic;
      frame.colorSpace = video.colour.matrix as AVColorSpace;
    }
    if (video.isInterlaced) frame.setFlags(AV_FRAME_FLAG_INTERLACED, AV_FRAME_FLAG_TOP_FIELD_FIRST);
    yield frame;
  }
}

function paint(luma: Buffer, line: number, x: number, y: number, width: number, height: number, value: number): void {
  for (let row = y; row < y + height; row++) luma.fill(value, row * line + x, row * line + x + width);
}

/** Nine numbers of 32 bits, as `av_display_rotation_set` makes them for a clockwise turn. */
function displayMatrix(degrees: number): Buffer {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.round(Math.cos(angle) * 65_536), Math.round(Math.sin(angle) * 65_536)];
  const matrix = Buffer.alloc(36);
  for (const [index, value] of [cos, sin, 0, -sin, cos, 0, 0, 0, 1 << 30].entries())
    matrix.writeInt32LE(value, index * 4);
  return matrix;
}

async function audioTrack(
  output: FormatContext,
  spec: MediaSpec,
  audio: NonNullable<MediaSpec["audio"]>,
  globalHeader: boolean,
): Promise<Track> {
  const codec = present(Codec.findEncoderByName(audio.codec as FFEncoderCodec), `encoder ${audio.codec}`);
  const context = new CodecContext();
  context.allocContext3(codec);
  const format = codec.sampleFormats?.[0] ?? AV_SAMPLE_FMT_FLTP;
  const layout = avChannelLayoutDefault(audio.channels);
  context.sampleFormat = format;
  context.sampleRate = audio.sampleRate;
  context.channelLayout = layout;
  context.timeBase = new AvRational(1, audio.sampleRate);
  context.bitRate = BigInt(64_000 * audio.channels);
  if (globalHeader) context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  check(
    await context.open2(codec, Dictionary.fromObject({ strict: "experimental", ...audio.options })),
    `open ${audio.codec}`,
  );
  const stream = addStream(output, context);
  if (audio.language) stream.metadata = Dictionary.fromObject({ language: audio.language });
  const size = context.frameSize > 0 ? context.frameSize : 1024;
  // An encoder wants frames of its own size.
  const convert = `aformat=sample_fmts=${avGetSampleFmtName(format)}`;
  return { context, stream, frames: sounds(spec, audio, size), convert, next: undefined };
}

function* sounds(spec: MediaSpec, audio: NonNullable<MediaSpec["audio"]>, size: number): Generator<Frame> {
  const { sampleRate, channels, startSeconds = 0, pause } = audio;
  const total = Math.round(audio.seconds * sampleRate);
  for (let at = 0; at < total; at += size) {
    const count = Math.min(size, total - at);
    const time = startSeconds + at / sampleRate;
    if (pause && time >= pause[0] && time < pause[1]) continue;
    const samples = Buffer.alloc(count * channels * 4);
    for (let index = 0; index < count; index++) {
      const now = time + index / sampleRate - (spec.video?.startSeconds ?? 0);
      const isBeep = now >= spec.flash[0] && now < spec.flash[1];
      const value = isBeep ? 0.5 * Math.sin(2 * Math.PI * 1000 * now) : 0;
      for (let channel = 0; channel < channels; channel++) samples.writeFloatLE(value, (channel * count + index) * 4);
    }
    const frame = Frame.fromAudioBuffer(samples, {
      nbSamples: count,
      format: AV_SAMPLE_FMT_FLTP,
      sampleRate,
      channelLayout: avChannelLayoutDefault(channels),
    });
    frame.pts = BigInt(Math.round(startSeconds * sampleRate) + at);
    yield frame;
  }
}
