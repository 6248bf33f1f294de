import type { Frame, Packet, Stream } from "node-av/lib";
import { TaskError } from "../task-error.ts";
import type { Rational, TrackResult, VideoPlan } from "../types.ts";
import { chooseColour } from "./colour.ts";
import { frameTime, openDecoder } from "./decoder.ts";
import type { Delivery } from "./delivery.ts";
import { type Filter, frameKey, openFilter } from "./filter.ts";
import { createFrameClock, type FrameTime, timescaleFor } from "./frame-clock.ts";
import { pictureChain } from "./picture-chain.ts";
import { createPoster } from "./poster.ts";
import { openRendition, type Rendition } from "./rendition.ts";

/** What came of the source's video. */
export type VideoResult = {
  tracks: TrackResult[];
  /** For each track, when its segments start. */
  segmentStarts: number[][];
  /** Pictures that the decoder gave. */
  decoded: number;
  /** Packets and pictures that it could not decode. */
  decodeErrors: number;
  poster: Buffer | undefined;
};

/** The video side of an encode: one decoder, all renditions. */
export type VideoTrack = {
  /** Decodes and encodes a packet; `null` after the last one. */
  add(packet: Packet | null): Promise<void>;
  /** Pictures encoded in every rendition, and the seconds of video that they are. */
  progress(): { frames: number; seconds: number };
  finish(): Promise<VideoResult>;
};

export async function openVideoTrack(options: {
  stream: Stream;
  plan: VideoPlan;
  segmentSeconds: number;
  posterSeconds: number;
  delivery: Delivery;
}): Promise<VideoTrack> {
  const { stream, plan, delivery } = options;
  const { num, den } = stream.timeBase;
  const frameRate: Rational = plan.frameRate ?? { num: 25, den: 1 };
  const timescale = timescaleFor({ num, den });
  const timeBase = { num: 1, den: timescale };
  const decoder = await openDecoder(stream);
  const clock = createFrameClock({
    timeBase: { num, den },
    timescale,
    startSeconds: plan.startSeconds,
    segmentSeconds: options.segmentSeconds,
    frameRate,
  });
  const poster = createPoster(options.posterSeconds * timescale);
  /** Places of the pictures that are on their way through the preparing filters. */
  const places: FrameTime[] = [];
  let renditions: Rendition[] | undefined;
  let preparing: { key: string; filter: Filter | undefined } | undefined;
  let decoded = 0;
  let prepared = 0;

  const distribute = async (picture: Frame) => {
    const place = places.shift();
    if (!place) throw new TaskError("machine", "The stream failed its check: a filter gave more pictures than it got.");
    prepared++;
    if (!renditions) {
      const colour = chooseColour(picture);
      const open = (rendition: VideoPlan["renditions"][number], index: number) =>
        openRendition({
          plan: rendition,
          colour,
          frameRate,
          timescale,
          delivery,
          onScaled: index === 0 ? poster.see : () => {},
        });
      renditions = await Promise.all(plan.renditions.map(open));
    }
    const copies = renditions.map(() => picture.clone());
    picture.free();
    await Promise.all(
      renditions.map((rendition, index) => {
        const copy = copies[index];
        if (!copy) throw new TaskError("machine", "There is not enough memory for the pictures.");
        return rendition.add(copy, place);
      }),
    );
  };

  /** Puts a decoded picture through the preparing filters; `null` empties them. */
  const prepare = async (frame: Frame | null) => {
    const key = frame && frameKey(frame);
    // The source may change its size or its format on the way.
    if (preparing && key !== preparing.key) {
      if (preparing.filter) {
        for await (const picture of preparing.filter.push(null)) await distribute(picture);
        preparing.filter.close();
      }
      preparing = undefined;
    }
    if (!frame || key === null) return;
    if (!preparing) {
      const chain = pictureChain(plan, frame.colorTrc === 18 ? "arib-std-b67" : "smpte2084");
      preparing = { key, filter: chain === "" ? undefined : await openFilter(frame, timeBase, chain) };
    }
    if (!preparing.filter) await distribute(frame);
    else for await (const picture of preparing.filter.push(frame)) await distribute(picture);
  };

  return {
    async add(packet) {
      for await (const frame of decoder.decode(packet)) {
        const time = frameTime(frame);
        const place = clock.place(time === undefined ? undefined : Number(time), Number(frame.duration));
        places.push(place);
        frame.pts = BigInt(place.ticks);
        decoded++;
        await prepare(frame);
      }
      if (!packet) await prepare(null);
    },
    progress() {
      const frames = Math.min(...(renditions ?? []).map((rendition) => rendition.encoded()));
      return renditions ? { frames, seconds: (frames * frameRate.den) / frameRate.num } : { frames: 0, seconds: 0 };
    },
    async finish() {
      if (!renditions) throw new TaskError("input", "No picture of this video can be decoded: it is damaged.");
      if (prepared !== decoded) {
        throw new TaskError(
          "machine",
          `The stream failed its check: of ${decoded} pictures ${prepared} came out of the filters.`,
        );
      }
      const tracks = await Promise.all(renditions.map((rendition) => rendition.finish(clock.end())));
      const segmentStarts = renditions.map((rendition) => rendition.segmentStarts());
      decoder.close();
      return { tracks, segmentStarts, decoded, decodeErrors: decoder.errors(), poster: await poster.jpeg() };
    },
  };
}
