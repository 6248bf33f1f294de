import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { AVERROR_EOF } from "node-av/constants";
import { Codec, CodecContext, FilterGraph, Frame, Packet } from "node-av/lib";
import type { Quality } from "../types.ts";
import { AVERROR_EAGAIN, check, present } from "./av.ts";
import { inputOptions } from "./filter.ts";
import { readQuality } from "./quality-lines.ts";

/** Measures what an encoder made of its pictures, while both are at hand. */
export type QualityMeter = {
  /** Which pictures it wants to see: those that are encoded, or what they were scaled from. */
  wants: "scaled" | "prepared";
  /** Sees a picture before it is encoded. */
  addSource(picture: Frame, ticks: number, startsSegment: boolean): void;
  /** Sees a coded frame, in the order of decoding. */
  addCoded(data: Buffer, ticks: number, encoder: CodecContext): Promise<void>;
  /** Undefined if nothing was measured. */
  finish(): Promise<Quality | undefined>;
};

/** A segment that is being measured. */
type Measurement = {
  start: number;
  /** When the next segment starts; undefined until its first picture was seen. */
  end?: number;
  /** Pictures to measure, and those seen of them. */
  wanted: number;
  taken: number;
  /** Those whose coded frames are still to come. */
  sources: Map<number, Frame>;
  decoder?: CodecContext;
  comparison?: Comparison;
};

/**
 * Measures XPSNR and SSIM of luma, frame by frame, on the first `framesOf` pictures of each segment (counted from the first one that is seen): decoding everything again would cost more than the encode may.
 * Each is compared at the size that it was encoded at; with a `reference`, at that size with the picture before it was scaled.
 */
export function createQualityMeter(options: {
  folder: string;
  name: string;
  framesOf: (segment: number) => number;
  reference?: { width: number; height: number } | undefined;
}): QualityMeter {
  const { name, folder, framesOf, reference } = options;
  const measurements: Measurement[] = [];
  const total: Quality = { frames: 0, xpsnrSum: 0, xpsnrMin: Number.POSITIVE_INFINITY, ssimSum: 0, ssimMin: 1 };
  const packet = new Packet();
  packet.alloc();
  let seen = -1;
  /** The one that sources are kept for; it may be under way already. */
  let taking: Measurement | undefined;
  let current: Measurement | undefined;

  const receive = async (from: Measurement, decoder: CodecContext) => {
    for (;;) {
      const frame = new Frame();
      frame.alloc();
      const code = await decoder.receiveFrame(frame);
      if (code < 0) {
        frame.free();
        if (code === AVERROR_EAGAIN || code === AVERROR_EOF) return;
        check(code, "decode what was encoded");
      }
      const source = from.sources.get(Number(frame.pts));
      from.sources.delete(Number(frame.pts));
      if (!source) {
        frame.free();
        continue;
      }
      from.comparison ??= await openComparison(
        source,
        frame,
        reference,
        join(folder, `.quality-${name}-${from.start}`),
      );
      await from.comparison.add(source, frame);
    }
  };
  const close = async (from: Measurement) => {
    const { decoder, comparison } = from;
    if (decoder) {
      check(await decoder.sendPacket(null), "decode what was encoded");
      await receive(from, decoder);
      decoder.freeContext();
    }
    for (const left of from.sources.values()) left.free();
    const quality = await comparison?.finish();
    if (!quality) return;
    total.frames += quality.frames;
    total.xpsnrSum += quality.xpsnrSum;
    total.xpsnrMin = Math.min(total.xpsnrMin, quality.xpsnrMin);
    total.ssimSum += quality.ssimSum;
    total.ssimMin = Math.min(total.ssimMin, quality.ssimMin);
  };

  return {
    wants: reference ? "prepared" : "scaled",
    addSource(picture, ticks, startsSegment) {
      if (startsSegment) {
        if (taking) taking.end = ticks;
        const wanted = framesOf(++seen);
        taking = wanted > 0 ? { start: ticks, wanted, taken: 0, sources: new Map() } : undefined;
        if (taking) measurements.push(taking);
      }
      if (!taking || taking.taken >= taking.wanted) return;
      const copy = picture.clone();
      if (!copy) return;
      taking.taken++;
      taking.sources.set(ticks, copy);
    },
    async addCoded(data, ticks, encoder) {
      // A segment's first frame in decoding order is its first in time.
      if (measurements[0]?.start === ticks) {
        if (current) await close(current);
        current = measurements.shift();
      } else if (current?.end !== undefined && ticks >= current.end) {
        await close(current);
        current = undefined;
      }
      if (!current) return;
      current.decoder ??= await openFor(encoder);
      packet.data = data;
      packet.pts = BigInt(ticks);
      const code = await current.decoder.sendPacket(packet);
      packet.unref();
      check(code, "decode what was encoded");
      await receive(current, current.decoder);
      if (current.taken === current.wanted && current.sources.size === 0) {
        await close(current);
        current = undefined;
      }
    },
    async finish() {
      if (current) await close(current);
      for (const left of measurements) await close(left);
      packet.free();
      return total.frames > 0 ? total : undefined;
    },
  };
}

async function openFor(encoder: CodecContext): Promise<CodecContext> {
  const codec = present(Codec.findDecoder(encoder.codecId), "decoder for what was encoded");
  const context = new CodecContext();
  context.allocContext3(codec);
  context.extraData = encoder.extraData;
  context.pktTimebase = encoder.timeBase;
  context.threadCount = 1;
  check(await context.open2(codec), "open a decoder for what was encoded");
  return context;
}

type Comparison = {
  /** Compares two pictures, and frees them. */
  add(source: Frame, coded: Frame): Promise<void>;
  finish(): Promise<Quality>;
};

/** FFmpeg's filters write their figures to files; here below `path`. */
async function openComparison(
  original: Frame,
  made: Frame,
  reference: { width: number; height: number } | undefined,
  path: string,
): Promise<Comparison> {
  const files = { xpsnr: `${path}.xpsnr`, ssim: `${path}.ssim` };
  const graph = new FilterGraph();
  graph.alloc();
  graph.nbThreads = 1;
  const inputs = [original, made].map((frame) => inputOptions(frame, { num: 1, den: 1 }));
  const toReference = reference
    ? `,scale=w=${reference.width}:h=${reference.height}:flags=bicubic:out_range=tv,format=yuv420p,setsar=1`
    : "";
  const quoted = (file: string) => `'${file.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll(":", "\\:")}'`;
  // Both would compare colours as well, and nobody reads what they say of them.
  const luma = `${toReference},extractplanes=y`;
  const chain = [
    `buffer@source=${inputs[0]}${luma}[source]`,
    `buffer@coded=${inputs[1]}${luma},split[coded1][coded2]`,
    `[source][coded1]xpsnr=stats_file=${quoted(files.xpsnr)}[passed]`,
    `[passed][coded2]ssim=stats_file=${quoted(files.ssim)},buffersink@out`,
  ].join(";");
  check(graph.parse2(chain), "set up the comparison");
  check(await graph.config(), "set up the comparison");
  const source = present(graph.getFilter("buffer@source"), "filter input");
  const coded = present(graph.getFilter("buffer@coded"), "filter input");
  const output = present(graph.getFilter("buffersink@out"), "filter output");
  let at = 0n;
  const drain = async () => {
    for (;;) {
      const frame = new Frame();
      frame.alloc();
      const code = await output.buffersinkGetFrame(frame);
      frame.free();
      if (code === AVERROR_EAGAIN || code === AVERROR_EOF) return;
      check(code, "compare pictures");
    }
  };
  return {
    async add(...pair) {
      for (const [filter, frame] of [
        [source, pair[0]],
        [coded, pair[1]],
      ] as const) {
        frame.pts = at;
        const code = filter.buffersrcAddFrameSync(frame);
        frame.free();
        check(code, "compare pictures");
      }
      at++;
      await drain();
    },
    async finish() {
      source.buffersrcAddFrameSync(null);
      coded.buffersrcAddFrameSync(null);
      await drain();
      graph.free();
      const [xpsnr, ssim] = await Promise.all([readFile(files.xpsnr, "utf8"), readFile(files.ssim, "utf8")]);
      await Promise.all([rm(files.xpsnr, { force: true }), rm(files.ssim, { force: true })]);
      return readQuality(xpsnr, ssim);
    },
  };
}
