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
 * Opens a scaler. `colour` gives the scale filter's options that lead a picture's colours to those of the output. A picture of another size or format than the one before gets filters of its own.
 */
export function createScaler(sizes: readonly ScaledSize[], colour: (picture: Frame) => string): Scaler {
  const order = cascade(sizes);
  let open: { key: string; graph: FilterGraph; input: FilterContext; outputs: FilterContext[] } | undefined;

  const openFor = async (picture: Frame, key: string) => {
    const graph = new FilterGraph();
    graph.alloc();
    // Encoders share the cores already.
    graph.nbThreads = 1;
    const chain = `buffer@in=${inputOptions(picture, { num: 1, den: 1 })}${scalingGraph(sizes, order, colour(picture))}`;
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
          const got = isWork ? await output.buffersinkGetFrame(frame) : output.buffersinkGetFrameSync(frame);
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

/** The graph behind its input, in FFmpeg's syntax: a scale filter and an output `out0`, `out1` … for each size. */
function scalingGraph(sizes: readonly ScaledSize[], order: readonly CascadeStep[], colour: string): string {
  const madeFrom = (index: number | undefined) => order.filter(({ from }) => from === index);
  const links = (index: number | undefined) => madeFrom(index).map((step) => `[to${step.index}]`);
  const begin = `,split=${links(undefined).length}${links(undefined).join("")}`;
  const steps = order.map(({ index, from }) => {
    const { width, height, pixelFormat } = sizes[index] ?? { width: 0, height: 0, pixelFormat: "" };
    const colours = from === undefined ? `:${colour}` : "";
    const scale = `[to${index}]scale=w=${width}:h=${height}:flags=bicubic${colours},format=${pixelFormat},setsar=1`;
    return `${scale},split=${links(index).length + 1}[end${index}]${links(index).join("")};[end${index}]buffersink@out${index}`;
  });
  return [begin, ...steps].join(";");
}
