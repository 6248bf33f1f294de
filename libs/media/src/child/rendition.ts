import { AV_PICTURE_TYPE_I, AV_PICTURE_TYPE_NONE, AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG } from "node-av/constants";
import { Rational as AvRational, type Frame } from "node-av/lib";
import { avcCodecs, avcConfiguration, avcSample } from "../mp4/avc.ts";
import { TaskError } from "../task-error.ts";
import type { Rational, RenditionPlan, TrackResult } from "../types.ts";
import type { Colour } from "./colour.ts";
import type { Delivery } from "./delivery.ts";
import { type CodedFrame, openEncoder } from "./encoder.ts";
import { type Filter, frameKey, openFilter } from "./filter.ts";
import type { FrameTime } from "./frame-clock.ts";
import { type CodedPicture, samplesOfGroup } from "./group-of-pictures.ts";
import { createLane } from "./lane.ts";
import { createTrackWriter } from "./track-writer.ts";

/** One quality in the making. */
export type Rendition = {
  /** Takes a prepared picture (and frees it); resolves when there is room for the next one. */
  add(picture: Frame, time: FrameTime): Promise<void>;
  /** Pictures encoded so far. */
  encoded(): number;
  /** Presentation time of each segment's first picture. */
  segmentStarts(): number[];
  /** Writes the last segment, which ends at `end`. */
  finish(end: number): Promise<TrackResult>;
};

/** Pictures that wait for a rendition. Renditions differ in speed from picture to picture; a few keep all of them busy. */
const queueLength = 4;

/** Opens a rendition's scaler, encoder and writer. `onScaled` sees each picture as it is encoded. */
export async function openRendition(options: {
  plan: RenditionPlan;
  colour: Colour;
  frameRate: Rational;
  timescale: number;
  delivery: Delivery;
  onScaled: (picture: Frame, ticks: number) => void;
}): Promise<Rendition> {
  const { plan, colour, timescale, delivery } = options;
  const timeBase = { num: 1, den: timescale };
  const encoder = await openEncoder(
    "libx264",
    (context) => {
      context.width = plan.width;
      context.height = plan.height;
      context.pixelFormat = AV_PIX_FMT_YUV420P;
      context.timeBase = new AvRational(1, timescale);
      context.framerate = new AvRational(options.frameRate.num, options.frameRate.den);
      context.sampleAspectRatio = new AvRational(1, 1);
      context.colorRange = AVCOL_RANGE_MPEG;
      context.colorPrimaries = colour.primaries;
      context.colorTrc = colour.transfer;
      context.colorSpace = colour.matrix;
      context.rcMaxRate = BigInt(plan.maxBitrate);
      context.rcBufferSize = plan.bufferBits;
      context.level = plan.level;
      context.threadCount = 0;
    },
    {
      preset: plan.preset,
      profile: plan.profile,
      crf: plan.crf,
      // Only the pictures that we name start a group, and nothing refers across them.
      "forced-idr": 1,
      "x264-params": "keyint=infinite:scenecut=0:open-gop=0",
    },
  );
  const configuration = avcConfiguration(encoder.extraData);
  // x264 holds pictures back for at most two others (B-frames that are referred to).
  const shift = Math.round((2 * timescale * options.frameRate.den) / options.frameRate.num);
  const { width, height } = plan;
  const header = { kind: "video", timescale, width, height, configuration, skip: shift } as const;
  const writer = await createTrackWriter(plan.name, header, delivery);

  const lane = createLane(queueLength);
  const starts: number[] = [];
  const expected: number[] = [];
  let scaler: { key: string; filter: Filter } | undefined;
  let group: CodedPicture[] = [];
  let encoded = 0;

  const closeGroup = async (end: number) => {
    if (group.length === 0) return;
    const { decodeTime, samples } = samplesOfGroup(group, end, shift);
    group = [];
    starts.push(decodeTime);
    await writer.add(decodeTime, samples);
  };
  const take = async (coded: AsyncGenerator<CodedFrame>) => {
    for await (const { data, pts, isKey } of coded) {
      if (isKey) {
        if (expected.shift() !== pts) throw mischeck(plan.name, "has a key picture where none should be");
        await closeGroup(pts);
      }
      group.push({ data: avcSample(data), ticks: pts, isKey });
      encoded++;
    }
  };
  const scale = async (picture: Frame): Promise<Frame> => {
    const key = frameKey(picture);
    if (scaler?.key !== key) {
      scaler?.filter.close();
      const chain = `scale=w=${plan.width}:h=${plan.height}:flags=bicubic:${colour.scaleOptions},format=yuv420p,setsar=1`;
      scaler = { key, filter: await openFilter(picture, timeBase, chain) };
    }
    for await (const scaled of scaler.filter.push(picture)) return scaled;
    throw mischeck(plan.name, "lost a picture");
  };
  return {
    add: (picture, time) =>
      lane.add(async () => {
        const scaled = await scale(picture);
        scaled.pts = BigInt(time.ticks);
        scaled.pictType = time.startsSegment ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
        if (time.startsSegment) expected.push(time.ticks);
        options.onScaled(scaled, time.ticks);
        await take(encoder.encode(scaled));
      }),
    encoded: () => encoded,
    segmentStarts: () => starts,
    async finish(end) {
      await lane.finish();
      await take(encoder.encode(null));
      await closeGroup(end);
      scaler?.filter.close();
      encoder.close();
      if (expected.length > 0) throw mischeck(plan.name, "lacks a key picture");
      const { name } = plan;
      const codecs = avcCodecs(configuration);
      const none = { sampleRate: 0, channels: 0, language: "" };
      return { name, codecs, timescale, width, height, frameRate: options.frameRate, ...none, ...writer.finish() };
    },
  };
}

function mischeck(name: string, what: string): TaskError {
  return new TaskError("machine", `The stream failed its check: ${name} ${what}.`);
}
