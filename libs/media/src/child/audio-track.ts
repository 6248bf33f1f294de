import { AV_SAMPLE_FMT_FLTP } from "node-av/constants";
import { Rational as AvRational, avChannelLayoutDefault, Frame, type Packet, type Stream } from "node-av/lib";
import { aacCodecs } from "../mp4/init-segment.ts";
import type { Sample } from "../mp4/media-segment.ts";
import { segmentSlack } from "../plan/chunk-length.ts";
import { refuseLength } from "../plan/plan-encode.ts";
import { TaskError } from "../task-error.ts";
import type { AudioPlan, TrackResult } from "../types.ts";
import { frameTime, openDecoder } from "./decoder.ts";
import type { Delivery } from "./delivery.ts";
import { type CodedFrame, openEncoder } from "./encoder.ts";
import { type Filter, frameKey, openFilter, soundKey } from "./filter.ts";
import { createTrackWriter, type WrittenTrack } from "./track-writer.ts";

/** What came of the source's audio. */
export type AudioResult = {
  track: TrackResult /** Where the source's audio ends, in seconds of the stream. */;
  sourceEnd: number;
};

/** The audio side of an encode: the whole track, decoded, resampled and encoded as one. */
export type AudioTrack = {
  /** Decodes and encodes a packet; `null` after the last one. */
  add(packet: Packet | null): Promise<void>;
  /** Frames and segments that are written. */
  progress(): { frames: number; segments: number };
  /** The track as far as its segments are written; undefined before the first one. */
  soFar(): TrackResult | undefined;
  finish(): Promise<AudioResult>;
};

/** Samples of an AAC-LC frame. */
const frameSamples = 1024;

/** Sound may be early or late by this before it is moved; containers round times, to a millisecond or worse. */
const toleranceSeconds = 0.03;

/** A clock that goes back further than this has started anew; less is an overlap, which is cut. */
const restartSeconds = 10;

/**
 * The sound's own times are kept to the sample at the start and within 30 ms later on: pauses become silence and overlaps are cut, since AAC frames follow each other without
 * a gap. Sound before the first picture is cut.
 */
export async function openAudioTrack(options: {
  stream: Stream;
  plan: AudioPlan;
  segmentSeconds: number;
  /** The source's time that becomes 0. */
  startSeconds: number;
  delivery: Delivery;
}): Promise<AudioTrack> {
  const { stream, plan, delivery } = options;
  const unit = stream.timeBase.num / stream.timeBase.den;
  const timeBase = { num: 1, den: plan.sampleRate };
  const decoder = await openDecoder(stream);
  const encoder = await openEncoder(
    "aac",
    (context) => {
      context.sampleFormat = AV_SAMPLE_FMT_FLTP;
      context.sampleRate = plan.sampleRate;
      context.channelLayout = avChannelLayoutDefault(plan.channels);
      context.bitRate = BigInt(plan.bitrate);
      context.timeBase = new AvRational(1, plan.sampleRate);
    },
    {},
  );
  const { language } = plan;
  const name = plan.name || "audio";

  const layout = plan.channels === 1 ? "mono" : "stereo";
  const wanted = soundKey(plan.sampleRate, AV_SAMPLE_FMT_FLTP, layout);
  let resampler: { key: string; filter: Filter } | undefined;
  let framer: Filter | undefined;
  /** Samples that went to the framer: the stream's time so far. */
  let written = 0;
  /** Where the next sound is due, and how far restarted clocks are moved; in seconds of the stream. */
  let due: number | undefined;
  let moved = 0;
  const segmentTicks = options.segmentSeconds * plan.sampleRate;
  const scrapTicks = segmentTicks * segmentSlack;
  const samples: Sample[] = [];
  let samplesStart = 0;
  /** Where the segment ends that waits for what follows: its samples, and its time. */
  let cut: { count: number; time: number } | undefined;
  let decodeTime = 0;
  const header = {
    kind: "audio",
    timescale: plan.sampleRate,
    channels: plan.channels,
    bitrate: plan.bitrate,
    language,
    configuration: encoder.extraData,
    skip: frameSamples,
  } as const;
  let writer: Awaited<ReturnType<typeof createTrackWriter>> | undefined;

  const write = async (segment: Sample[]) => {
    if (segment.length === 0) return;
    writer ??= await createTrackWriter(name, header, delivery);
    await writer.add(samplesStart, segment);
  };
  const take = async (frames: AsyncGenerator<CodedFrame>) => {
    for await (const { data, duration } of frames) {
      if (Math.floor(decodeTime / segmentTicks) > Math.floor(samplesStart / segmentTicks))
        cut ??= { count: samples.length, time: decodeTime };
      samples.push({ data, duration, compositionOffset: 0, sync: true });
      decodeTime += duration;
      // A scrap at the end belongs to the segment before it. Players that pass over edit lists look for the last segment later than it is, by the
      // encoder's delay: they never find one that is shorter, and don't come to the end of the stream (apps/monolith/e2e/player.e2e.test.ts).
      if (cut === undefined || decodeTime - cut.time < scrapTicks) continue;
      await write(samples.splice(0, cut.count));
      samplesStart = cut.time;
      cut = undefined;
    }
  };
  /** Puts sound behind what there is, in the encoder's frames. */
  const append = async (sound: Frame) => {
    sound.pts = BigInt(written);
    written += sound.nbSamples;
    framer ??= await openFilter(sound, timeBase, `asetnsamples=n=${frameSamples}:p=0`);
    for await (const frame of framer.push(sound)) await take(encoder.encode(frame));
  };
  /** Puts resampled sound at its own time: to the sample at the start, within the tolerance later on. */
  const place = async (sound: Frame) => {
    const distance = Number(sound.pts) - written;
    const refusal = refuseLength(Math.max(0, Number(sound.pts)) / plan.sampleRate, "sound");
    if (refusal !== undefined) throw new TaskError("input", refusal);
    const isInPlace = written > 0 && Math.abs(distance) <= toleranceSeconds * plan.sampleRate;
    if (!isInPlace) {
      for (let missing = distance; missing > 0; missing -= frameSamples)
        await append(silence(Math.min(frameSamples, missing), plan));
    }
    if (isInPlace || distance >= 0) return append(sound);
    // All of it lies before what there is.
    if (-distance >= sound.nbSamples) sound.free();
    else await append(withoutStart(sound, -distance, plan));
  };
  const drain = async () => {
    if (!resampler) return;
    for await (const sound of resampler.filter.push(null)) await place(sound);
    resampler.filter.close();
    resampler = undefined;
  };

  const sound = async (frame: Frame) => {
    const length = frame.nbSamples / frame.sampleRate;
    const time = frameTime(frame);
    let at = time === undefined ? (due ?? 0) : Number(time) * unit - options.startSeconds + moved;
    if (due !== undefined && at < due - restartSeconds) {
      moved += due - at;
      at = due;
    }
    due = at + length;
    const key = frameKey(frame);
    if (resampler?.key !== key) await drain();
    frame.pts = BigInt(Math.round(at * frame.sampleRate));
    // Most sound is as it is wanted already.
    if (key === wanted) return place(frame);
    const chain = `aresample=${plan.sampleRate},aformat=sample_fmts=fltp:channel_layouts=${layout}`;
    resampler ??= { key, filter: await openFilter(frame, { num: 1, den: frame.sampleRate }, chain) };
    for await (const resampled of resampler.filter.push(frame)) await place(resampled);
  };

  const describe = (written: WrittenTrack): TrackResult => {
    const { sampleRate, channels } = plan;
    const codecs = aacCodecs(encoder.extraData);
    const none = { width: 0, height: 0, isDefault: false };
    return { name, codecs, timescale: sampleRate, ...none, sampleRate, channels, language, ...written };
  };

  return {
    async add(packet) {
      for await (const frame of decoder.decode(packet)) await sound(frame);
    },
    progress: () => writer?.progress() ?? { frames: 0, segments: 0 },
    soFar: () => writer && describe(writer.finish()),
    async finish() {
      await drain();
      if (written === 0 && decoder.errors() > 0) {
        throw new TaskError("input", "The sound of this video cannot be decoded: it is damaged.");
      }
      // All of it may have been before the first picture; a track that was planned is there all the same.
      if (written === 0) await append(silence(frameSamples, plan));
      if (framer) for await (const frame of framer.push(null)) await take(encoder.encode(frame));
      await take(encoder.encode(null));
      await write(samples);
      decoder.close();
      encoder.close();
      if (!writer) throw new TaskError("machine", "The stream failed its check: the sound is missing.");
      const track = describe(writer.finish());
      return { track, sourceEnd: Math.max(due ?? 0, frameSamples / plan.sampleRate) };
    },
  };
}

/** Sound without its first samples. */
function withoutStart(sound: Frame, samples: number, plan: AudioPlan): Frame {
  const bytes = samples * Float32Array.BYTES_PER_ELEMENT;
  const end = sound.nbSamples * Float32Array.BYTES_PER_ELEMENT;
  const planes = (sound.extendedData ?? []).map((plane) => plane.subarray(bytes, end));
  const rest = soundOf(Buffer.concat(planes), sound.nbSamples - samples, plan);
  sound.free();
  return rest;
}

function silence(samples: number, plan: AudioPlan): Frame {
  return soundOf(Buffer.alloc(samples * plan.channels * Float32Array.BYTES_PER_ELEMENT), samples, plan);
}

function soundOf(planes: Buffer, nbSamples: number, plan: AudioPlan): Frame {
  return Frame.fromAudioBuffer(planes, {
    nbSamples,
    format: AV_SAMPLE_FMT_FLTP,
    sampleRate: plan.sampleRate,
    channelLayout: avChannelLayoutDefault(plan.channels),
  });
}
