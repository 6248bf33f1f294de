import { AV_NOPTS_VALUE } from "node-av/constants";
import type { Frame, Packet, Stream } from "node-av/lib";
import { TaskError } from "../task-error.ts";
import type { Rational, RenditionPlan, TrackResult, VideoPlan } from "../types.ts";
import { isOutputColour, outputColour, scaleColour } from "./colour.ts";
import { frameTime, openDecoder } from "./decoder.ts";
import { encoderOptions } from "./encoder-options.ts";
import { encoderThreads } from "./encoder-threads.ts";
import { createFrameClock } from "./frame-clock.ts";
import type { FrameCut } from "./frame-cut.ts";
import { createLane } from "./lane.ts";
import { createPreparation } from "./preparation.ts";
import type { Rendition, RenditionContext } from "./rendition.ts";
import { createScaler, type ScaledSize, type Scaler } from "./scaler.ts";

/** What came of the source's video, or of a part of it. */
export type VideoResult = {
  tracks: TrackResult[];
  /** For each track, when its segments start. */
  segmentStarts: number[][];
  /** Pictures that went to the renditions. */
  frames: number;
  /** Ticks of the first and the last of them. */
  firstTicks: number;
  lastTicks: number;
  /** Where the last one ends. */
  endTicks: number;
  /** Packets and pictures that could not be decoded. */
  decodeErrors: number;
};

/** The video side of an encode: one decoder, all renditions. */
export type VideoTrack = {
  /** Decodes and encodes a packet; `null` after the last one. */
  add(packet: Packet | null): Promise<void>;
  /** Whether everything was seen that the cut asks for. */
  done(): boolean;
  /** Ticks of the first picture that the decoder gave; undefined until then. */
  firstDecoded(): number | undefined;
  /** Pictures encoded in every rendition, and the seconds of video that they are. */
  progress(): { frames: number; seconds: number };
  finish(): Promise<VideoResult>;
  /** Frees the decoder; for a track that is given up. */
  close(): void;
};

/** Pictures up to this size are decoded many times as fast as their renditions are encoded; there, more threads cost a tenth of the decoder's CPU and gain nothing. */
const lightPixels = 1920 * 1088;

/** Pictures that are decoded and wait to be scaled. */
const decodedAhead = 4;

/** Opens the track. `open` opens a rendition of the plan, by its index, when the first picture is there. */
export async function openVideoTrack(options: {
  stream: Stream;
  plan: VideoPlan;
  cut: FrameCut;
  /** The source's time that becomes 0, in its units. */
  startPts: number;
  timescale: number;
  threads: number;
  open: (
    index: number,
    context: Pick<RenditionContext, "colour" | "frameRate" | "timescale" | "threads" | "isSync">,
  ) => Promise<Rendition>;
}): Promise<VideoTrack> {
  const { stream, plan, cut, timescale } = options;
  const { num, den } = stream.timeBase;
  const frameRate: Rational = plan.frameRate ?? { num: 25, den: 1 };
  const { width, height } = stream.codecpar;
  // Where one thread is all there is, to hand each step over to another one costs a twentieth of the CPU and gains nothing.
  const isSync = options.threads === 1;
  const decoder = await openDecoder(stream, width * height <= lightPixels ? 1 : options.threads, { isSync });
  const clock = createFrameClock({ timeBase: { num, den }, timescale, startPts: options.startPts, frameRate });
  const preparation = createPreparation(plan, timescale);
  const scaling = createLane(decodedAhead);
  let scaler: Scaler | undefined;
  let renditions: Rendition[] | undefined;
  let firstDecoded: number | undefined;
  let first: number | undefined;
  let last = 0;
  let given = 0;
  let prepared = 0;
  let frames = 0;
  let isDone = false;

  const distribute = async (picture: Frame, ticks: number) => {
    prepared++;
    const place = cut.place(ticks);
    if (place === "before" || place === "after") {
      isDone ||= place === "after";
      picture.free();
      return;
    }
    first ??= ticks;
    last = ticks;
    frames++;
    if (!renditions) {
      const colour = outputColour(plan, picture);
      const threads = encoderThreads(plan.renditions, options.threads);
      scaler = createScaler(
        plan.renditions.map(scaledSize),
        (frame) => (isOutputColour(frame, colour) ? undefined : scaleColour(frame, colour)),
        { isSync },
      );
      renditions = await Promise.all(
        threads.map((own, index) => options.open(index, { colour, frameRate, timescale, threads: own, isSync })),
      );
    }
    const startsSegment = place === "segment-start";
    const opened = renditions;
    // The next picture is decoded meanwhile.
    await scaling.add(async () => {
      for (const rendition of opened) rendition.see(picture, ticks, startsSegment);
      const scaled = await scaler?.scale(picture);
      await Promise.all(
        opened.map((rendition, index) => {
          const own = scaled?.[index];
          if (!own) throw new RangeError(`no picture for rendition ${index}`);
          return rendition.add(own, ticks, startsSegment);
        }),
      );
    });
  };
  const prepare = async (frame: Frame | null) => {
    for await (const { picture, ticks } of preparation.push(frame)) await distribute(picture, ticks);
  };

  /** Whether a packet's picture is before the part. Filters that look at neighbours see those as well. */
  const isUnwanted = ({ pts }: Packet) =>
    !plan.deinterlace && pts !== AV_NOPTS_VALUE && cut.isBefore(clock.ticksAt(Number(pts)));

  return {
    async add(packet) {
      if (packet) decoder.passOver(isUnwanted(packet));
      for await (const frame of decoder.decode(packet)) {
        const time = frameTime(frame);
        const ticks = clock.place(time === undefined ? undefined : Number(time), Number(frame.duration));
        firstDecoded ??= ticks;
        if (isDone || (cut.isBefore(ticks) && !plan.deinterlace)) {
          frame.free();
          continue;
        }
        frame.pts = BigInt(ticks);
        given++;
        await prepare(frame);
      }
      if (!packet) await prepare(null);
    },
    done: () => isDone,
    firstDecoded: () => firstDecoded,
    progress() {
      const encoded = Math.min(...(renditions ?? []).map((rendition) => rendition.encoded()));
      return renditions
        ? { frames: encoded, seconds: (encoded * frameRate.den) / frameRate.num }
        : { frames: 0, seconds: 0 };
    },
    async finish() {
      if (!renditions) throw new TaskError("input", "No picture of this video can be decoded: it is damaged.");
      if (prepared !== given) {
        throw new TaskError(
          "machine",
          `The stream failed its check: of ${given} pictures ${prepared} came out of the filters.`,
        );
      }
      await scaling.finish();
      scaler?.close();
      const end = cut.next() ?? clock.end();
      const tracks = await Promise.all(renditions.map((rendition) => rendition.finish(end)));
      const segmentStarts = renditions.map((rendition) => rendition.segmentStarts());
      decoder.close();
      return {
        tracks,
        segmentStarts,
        frames,
        firstTicks: first ?? 0,
        lastTicks: last,
        endTicks: end,
        decodeErrors: decoder.errors(),
      };
    },
    close: () => decoder.close(),
  };
}

function scaledSize(plan: RenditionPlan): ScaledSize {
  const { name, width, height } = plan;
  return { name, width, height, pixelFormat: encoderOptions(plan, 1).pixelFormat };
}
