import { AVERROR_EOF } from "node-av/constants";
import { type FilterContext, FilterGraph, Frame } from "node-av/lib";
import { TaskError } from "../task-error.ts";
import { AVERROR_EAGAIN, check, present } from "./av.ts";
import { frameKey, inputOptions } from "./filter.ts";

/** What a rendition's encoder takes. */
export type ScaledSize = { name: string; width: number; height: number; pixelFormat: string };

/** Makes pictures at the size of every rendition. */
export type Scaler = {
  /** Takes a picture (and frees it) and gives one for each size, in their order. The receiver frees them. */
  scale(picture: Frame): Promise<Frame[]>;
  close(): void;
};

/**
 * Opens a scaler. `conversion` gives the scale filter's options that lead a picture's colours to those of the output; undefined where they are that already. A picture of another size or format than the one before
 * gets filters of its own. `isSync`: it scales in the thread that calls it.
 */
export function createScaler(
  sizes: readonly ScaledSize[],
  conversion: (picture: Frame) => string | undefined,
  { isSync = false } = {},
): Scaler {
  const order = cascade(sizes);
  let open: { key: string; graph: FilterGraph; input: FilterContext; outputs: FilterContext[] } | undefined;

  const openFor = async (picture: Frame, key: string) => {
    const graph = new FilterGraph();
    graph.alloc();
    // Encoders share the cores already.
    graph.nbThreads = 1;
    const chain = `buffer@in=${inputOptions(picture, { num: 1, den: 1 })}${scalingGraph(sizes, order, { of: picture, conversion: conversion(picture) })}`;
    check(graph.parse2(chain), `set up the filter ${chain}`);
    check(await graph.config(), `set up the filter ${chain}`);
    const filter = (name: string) => present(graph.getFilter(name), "scaling filter");
    return {
      key,
      graph,
      input: filter("buffer@in"),
      outputs: sizes.map((_, index) => filter(`buffersink@out${index}`)),
    };
  };
  return {
    async scale(picture) {
      const key = frameKey(picture);
      if (open?.key !== key) {
        open?.graph.free();
        open = undefined;
        open = await openFor(picture, key);
      }
      const { input, outputs } = open;
      const code = input.buffersrcAddFrameSync(picture);
      picture.free();
      check(code, "scale a picture");
      const scaled: Frame[] = sizes.map(() => {
        const frame = new Frame();
        frame.alloc();
        return frame;
      });
      try {
        // The last one needs those before it, so asking for it is all of the work; the others are there then.
        for (const { index } of order.toReversed()) {
          const [output, frame] = [outputs[index], scaled[index]];
          if (!output || !frame) throw new RangeError(`no size ${index}`);
          const isWork = index === order.at(-1)?.index;
          const got = isWork && !isSync ? await output.buffersinkGetFrame(frame) : output.buffersinkGetFrameSync(frame);
          if (got === AVERROR_EAGAIN || got === AVERROR_EOF) {
            throw new TaskError("machine", `The stream failed its check: ${sizes[index]?.name} lost a picture.`);
          }
          check(got, "scale a picture");
        }
      } catch (error) {
        for (const frame of scaled) frame.free();
        throw error;
      }
      return scaled;
    },
    close() {
      open?.graph.free();
      open = undefined;
    },
  };
}

/** A size, and which one it is made from; the picture itself if undefined. */
export type CascadeStep = { index: number; from: number | undefined };

/**
 * In which order sizes are made, and from what: each from the smallest one that isn't smaller. To make all of them from the picture takes half as much again, and nobody sees a difference
 * (docs/media-tasks.md has the figures).
 */
export function cascade(sizes: readonly { width: number; height: number }[]): CascadeStep[] {
  const order = sizes.map((_, index) => index).sort((a, b) => area(sizes[b]) - area(sizes[a]) || a - b);
  return order.map((index, place) => {
    const from = order.slice(0, place).findLast((larger) => covers(sizes[larger], sizes[index]));
    return { index, from };
  });
}

type Size = { width: number; height: number } | undefined;
const area = (size: Size) => (size ? size.width * size.height : 0);
const covers = (larger: Size, size: Size) =>
  larger !== undefined && size !== undefined && larger.width >= size.width && larger.height >= size.height;

/** The graph behind its input, in FFmpeg's syntax: a filter that scales and an output `out0`, `out1` … for each size. */
function scalingGraph(
  sizes: readonly ScaledSize[],
  order: readonly CascadeStep[],
  { of: { width, height }, conversion }: { of: { width: number; height: number }; conversion: string | undefined },
): string {
  const madeFrom = (index: number | undefined) => order.filter(({ from }) => from === index);
  const links = (index: number | undefined) => madeFrom(index).map((step) => `[to${step.index}]`);
  // What comes out is progressive, whatever the source says of its pictures; zscale would scale fields.
  const begin = `,setfield=prog,split=${links(undefined).length}${links(undefined).join("")}`;
  const steps = order.map(({ index, from }) => {
    const { pixelFormat, ...size } = sizes[index] ?? { width: 0, height: 0, pixelFormat: "" };
    const source = from === undefined ? { width, height, pixelFormat: "yuv420p", conversion } : sizes[from];
    const filters = `${scaling(source, size)},format=${pixelFormat},setsar=1`;
    return `[to${index}]${filters},split=${links(index).length + 1}[end${index}]${links(index).join("")};[end${index}]buffersink@out${index}`;
  });
  return [begin, ...steps].join(";");
}

/**
 * The filter that makes a size. zscale takes half of scale's time for the same picture: its parameters are those of scale's cubic, and the two differ by rounding (61 dB). It knows no NV12 and no half pixels of colour, and colours are scale's to convert.
 */
function scaling(
  from: { width: number; height: number; pixelFormat: string; conversion?: string | undefined } | undefined,
  { width, height }: { width: number; height: number },
): string {
  const size = `w=${width}:h=${height}`;
  const isEven = [from?.width, from?.height].every((side = 1) => side % 2 === 0);
  if (!isEven || from?.pixelFormat !== "yuv420p" || from.conversion !== undefined)
    return [`scale=${size}`, "flags=bicubic", from?.conversion].filter(Boolean).join(":");
  if (from.width === width && from.height === height) return "null";
  return `zscale=${size}:filter=bicubic:param_a=0:param_b=0.6`;
}
