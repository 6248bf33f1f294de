import {
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
  AV_PIX_FMT_NV12,
  AV_PIX_FMT_YUV420P,
  AVCOL_RANGE_MPEG,
} from "node-av/constants";
import { Rational as AvRational, type Frame } from "node-av/lib";
import type { OutputColour } from "../colour.ts";
import { codecBindings } from "../mp4/video-codec.ts";
import { TaskError } from "../task-error.ts";
import type { Rational, RenditionPlan, TrackResult } from "../types.ts";
import { encoderColour } from "./colour.ts";
import type { Delivery } from "./delivery.ts";
import { type CodedFrame, openEncoder } from "./encoder.ts";
import { codecOf, encoderOptions } from "./encoder-options.ts";
import { type CodedPicture, samplesOfGroup } from "./group-of-pictures.ts";
import { createLane } from "./lane.ts";
import type { QualityMeter } from "./quality-meter.ts";
import { createTrackWriter, type TrackWriter } from "./track-writer.ts";

/** One quality in the making. */
export type Rendition = {
  /** Sees a picture before it is scaled. */
  see(picture: Frame, ticks: number, startsSegment: boolean): void;
  /** Takes a picture of its size (and frees it); resolves when there is room for the next one. */
  add(scaled: Frame, ticks: number, startsSegment: boolean): Promise<void>;
  /** Pictures encoded so far. */
  encoded(): number;
  /** Presentation time of each segment's first picture. */
  segmentStarts(): number[];
  /** Writes the last segment, which ends at `end`. */
  finish(end: number): Promise<TrackResult>;
};

/** What all renditions of a source share. */
export type RenditionContext = {
  colour: OutputColour;
  frameRate: Rational;
  timescale: number;
  delivery: Delivery;
  /** Threads of this rendition's encoder. */
  threads: number;
  /** Whether it encodes in the thread that calls it. */
  isSync: boolean;
  /** Number of the first segment. */
  firstSegment: number;
};

/** Pictures that wait for a rendition. Renditions differ in speed from picture to picture; a few keep all of them busy. */
const queueLength = 8;

/** Opens a rendition's encoder and writer. `onScaled` sees each picture as it is encoded; `meter` measures what became of it. */
export async function openRendition(
  plan: RenditionPlan,
  context: RenditionContext,
  watchers: { onScaled?: (picture: Frame, ticks: number) => void; meter?: QualityMeter | undefined } = {},
): Promise<Rendition> {
  const { colour, timescale, delivery, frameRate } = context;
  const { onScaled = () => {}, meter } = watchers;
  const codec = codecOf(plan);
  const binding = codecBindings[codec];
  const { name: encoderName, options, pixelFormat, onDevice = false } = encoderOptions(plan, context.threads);
  const encoder = await openEncoder(
    encoderName,
    (opened) => {
      opened.width = plan.width;
      opened.height = plan.height;
      opened.pixelFormat = pixelFormat === "nv12" ? AV_PIX_FMT_NV12 : AV_PIX_FMT_YUV420P;
      opened.timeBase = new AvRational(1, timescale);
      opened.framerate = new AvRational(frameRate.num, frameRate.den);
      opened.sampleAspectRatio = new AvRational(1, 1);
      opened.colorRange = AVCOL_RANGE_MPEG;
      const { primaries, transfer, matrix } = encoderColour(colour);
      opened.colorPrimaries = primaries;
      opened.colorTrc = transfer;
      opened.colorSpace = matrix;
      if (plan.maxBitrate > 0) {
        opened.rcMaxRate = BigInt(plan.maxBitrate);
        opened.rcBufferSize = plan.bufferBits;
      }
      if (codec === "h264") opened.level = plan.level;
      opened.threadCount = context.threads;
    },
    options,
    { onDevice, isSync: context.isSync },
  );
  // Encoders hold pictures back for at most two others (B-frames that are referred to).
  const shift = Math.round((2 * timescale * frameRate.den) / frameRate.num);
  const { width, height, name } = plan;

  const lane = createLane(queueLength);
  const starts: number[] = [];
  const expected: number[] = [];
  let written: { writer: TrackWriter; configuration: Buffer } | undefined;
  let group: CodedPicture[] = [];
  let encoded = 0;

  /** AV1 tells its configuration with its first frame only. */
  const open = async (first: Buffer) => {
    const configuration = binding.configuration(encoder.extraData, first);
    const header = { kind: "video", codec, timescale, width, height, configuration, skip: shift } as const;
    return { writer: await createTrackWriter(name, header, delivery, context.firstSegment), configuration };
  };
  const closeGroup = async (end: number) => {
    if (group.length === 0 || !written) return;
    const { decodeTime, samples } = samplesOfGroup(group, end, shift);
    group = [];
    starts.push(decodeTime);
    await written.writer.add(decodeTime, samples);
  };
  const take = async (frames: AsyncGenerator<CodedFrame>) => {
    for await (const { data, pts, isKey } of frames) {
      written ??= await open(data);
      if (isKey) {
        if (expected.shift() !== pts) throw mischeck(name, "has a key picture where none should be");
        await closeGroup(pts);
      }
      group.push({ data: binding.sample(data), ticks: pts, isKey });
      encoded++;
      await meter?.addCoded(data, pts, encoder.context);
    }
  };
  return {
    see(picture, ticks, startsSegment) {
      if (meter?.wants === "prepared") meter.addSource(picture, ticks, startsSegment);
    },
    add: (scaled, ticks, startsSegment) =>
      lane.add(async () => {
        scaled.pts = BigInt(ticks);
        scaled.pictType = startsSegment ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
        if (startsSegment) expected.push(ticks);
        onScaled(scaled, ticks);
        if (meter?.wants === "scaled") meter.addSource(scaled, ticks, startsSegment);
        await take(encoder.encode(scaled));
      }),
    encoded: () => encoded,
    segmentStarts: () => starts,
    async finish(end) {
      await lane.finish();
      await take(encoder.encode(null));
      await closeGroup(end);
      encoder.close();
      const quality = await meter?.finish();
      if (!written || expected.length > 0) throw mischeck(name, "lacks a key picture");
      const { initBytes, initSha256, segments, frames, start } = written.writer.finish();
      return {
        name,
        codecs: binding.codecs(written.configuration),
        timescale,
        width,
        height,
        frameRate,
        sampleRate: 0,
        channels: 0,
        language: "",
        isDefault: false,
        initBytes,
        initSha256,
        segments,
        frames,
        start,
        quality,
      };
    },
  };
}

function mischeck(name: string, what: string): TaskError {
  return new TaskError("machine", `The stream failed its check: ${name} ${what}.`);
}
