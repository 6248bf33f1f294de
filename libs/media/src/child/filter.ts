import { availableParallelism } from "node:os";
import type { AVPixelFormat, AVSampleFormat } from "node-av/constants";
import { AV_CHANNEL_ORDER_UNSPEC, AVERROR_EOF } from "node-av/constants";
import {
  avChannelLayoutDefault,
  avChannelLayoutDescribe,
  avGetPixFmtName,
  avGetSampleFmtName,
  FilterGraph,
  type Frame,
} from "node-av/lib";
import type { Rational } from "../types.ts";
import { AVERROR_EAGAIN, check, present } from "./av.ts";
import { createFrameSupply } from "./frame-supply.ts";

/** A chain of FFmpeg's filters with one input and one output. */
export type Filter = {
  /** Puts a frame in (and frees it) and gives what comes out; `null` after the last one gives what is left. The receiver frees the frames. */
  push(frame: Frame | null): AsyncGenerator<Frame, void, undefined>;
  /** Unit of the times of what comes out. */
  timeBase: Rational;
  close(): void;
};

/** What a filter's input must share with the frame that it was opened for; a frame with another key needs another filter. */
export function frameKey(frame: Frame): string {
  return frame.isVideo()
    ? [frame.width, frame.height, frame.format, frame.colorSpace, frame.colorRange].join()
    : soundKey(frame.sampleRate, frame.format, layoutOf(frame));
}

/** The key of frames of sound; the layout by FFmpeg's name. */
export function soundKey(sampleRate: number, format: number, layout: string): string {
  return [sampleRate, format, layout].join();
}

/** Opens a chain (in FFmpeg's filter syntax) for frames such as this one, with times in `timeBase`. All cores share each picture. */
export async function openFilter(first: Frame, timeBase: Rational, chain: string): Promise<Filter> {
  const graph = new FilterGraph();
  graph.alloc();
  graph.nbThreads = availableParallelism();
  const isSound = !first.isVideo();
  const [source, sink] = isSound ? ["abuffer", "abuffersink"] : ["buffer", "buffersink"];
  check(
    graph.parse2(`${source}@in=${inputOptions(first, timeBase)},${chain},${sink}@out`),
    `set up the filter ${chain}`,
  );
  check(await graph.config(), `set up the filter ${chain}`);
  const input = present(graph.getFilter(`${source}@in`), "filter input");
  const output = present(graph.getFilter(`${sink}@out`), "filter output");
  const { num, den } = output.buffersinkGetTimeBase();
  const frames = createFrameSupply();
  return {
    timeBase: { num, den },
    async *push(frame) {
      const code = input.buffersrcAddFrameSync(frame);
      frame?.free();
      check(code, `filter (${chain})`);
      for (let isFirst = true; ; isFirst = false) {
        const filtered = frames.take();
        // Asking for a frame does the work; asking once more finds that there is none left, except at the end. Sound is less work than handing it to another thread.
        const isWork = !isSound && (isFirst || !frame);
        const got = isWork ? await output.buffersinkGetFrame(filtered) : output.buffersinkGetFrameSync(filtered);
        if (got >= 0) {
          yield filtered;
          continue;
        }
        frames.giveBack(filtered);
        if (got === AVERROR_EAGAIN || got === AVERROR_EOF) return;
        check(got, `filter (${chain})`);
      }
    },
    close() {
      frames.close();
      graph.free();
    },
  };
}

/** Options of a filter chain's input for frames such as this one. */
export function inputOptions(frame: Frame, timeBase: Rational): string {
  const units = `${timeBase.num}/${timeBase.den}`;
  const options = frame.isVideo()
    ? {
        video_size: `${frame.width}x${frame.height}`,
        pix_fmt: avGetPixFmtName(frame.format as AVPixelFormat),
        time_base: units,
        colorspace: frame.colorSpace,
        range: frame.colorRange,
      }
    : {
        sample_rate: frame.sampleRate,
        sample_fmt: avGetSampleFmtName(frame.format as AVSampleFormat),
        channel_layout: layoutOf(frame),
        time_base: units,
      };
  return Object.entries(options)
    .map(([name, value]) => `${name}=${value}`)
    .join(":");
}

/** The channels' places; where the file doesn't tell them, the usual ones for their number. */
function layoutOf(frame: Frame): string {
  const { channelLayout } = frame;
  const layout =
    channelLayout.order === AV_CHANNEL_ORDER_UNSPEC ? avChannelLayoutDefault(channelLayout.nbChannels) : channelLayout;
  return present(avChannelLayoutDescribe(layout), "name for the channel layout");
}
