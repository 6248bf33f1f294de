import { AV_NOPTS_VALUE } from "node-av/constants";
import { Packet, type Stream } from "node-av/lib";
import type { ByteSource } from "../source/byte-source.ts";
import { TaskError } from "../task-error.ts";
import { timescaleFor } from "../timescale.ts";
import type { ChunkPlan, ChunkResult, VideoPlan } from "../types.ts";
import type { Delivery } from "./delivery.ts";
import { type Demuxer, openDemuxer } from "./demuxer.ts";
import { cutChunk } from "./frame-cut.ts";
import { createQualityMeter } from "./quality-meter.ts";
import { openRendition } from "./rendition.ts";
import { openVideoTrack, type VideoTrack } from "./video-track.ts";

export type EncodeChunkOptions = {
  source: ByteSource;
  chunk: ChunkPlan;
  video: VideoPlan;
  delivery: Delivery;
  /** Folder for files that aren't delivered. */
  folder: string;
  /** The most threads of the decoder and of an encoder (`encoderThreads`); 0 for as many as the cores make use of. */
  threads: number;
  /** 1: every picture's quality is measured; 0: none's; n: that of a few in every nth segment. */
  qualityStride: number;
  onProgress: (progress: { frames: number; fraction: number; mediaSeconds: number }) => void;
  /** Told when there is less and less to do: with several threads once the source is read, and the encoders give out what they hold; with one thread once they are empty, and files are all that is left to be taken. */
  onDraining?: () => void;
};

/** Less than this part of the planned frames means that the source is broken, rather than flawed. */
const leastPart = 0.9;

/**
 * Seconds before the wanted time to try next, where the last try found no key frame before it or no whole picture. Containers without an index land anywhere; pictures after a recovery
 * point are whole only some time later. Then the source's beginning is next.
 */
const stepsBack = [0, 1, 4, 15, 60];

/** Encodes one chunk in all renditions of the plan, from one decode, and checks it. Resolves when every file is taken. */
export async function encodeChunk(options: EncodeChunkOptions): Promise<ChunkResult> {
  const { chunk, delivery } = options;
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  const { done, segments, toPts } = await encodePart({ ...options, isFirst: chunk.index === 0 });
  const problem = verifyChunk(chunk, segments, done);
  if (problem) throw problem;
  await delivery.settled();
  const cpu = process.cpuUsage(cpuBefore);
  return {
    index: chunk.index,
    start: BigInt(done.firstTicks),
    end: BigInt(done.endTicks),
    renditions: done.tracks,
    frames: done.frames,
    firstPts: toPts(done.firstTicks),
    lastPts: toPts(done.lastTicks),
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  };
}

/**
 * Encodes a part of a source. `isFirst` stands for "from the first picture on", whatever its time. With a `reference`, quality is measured at that size instead of each rendition's own.
 */
export async function encodePart(
  options: EncodeChunkOptions & { isFirst: boolean; reference?: { width: number; height: number } | undefined },
) {
  const { source, chunk, video: plan, delivery, threads, qualityStride, isFirst, reference } = options;
  if (plan.renditions.length === 0) throw new TaskError("machine", "The chunk names nothing to make.");
  const demuxer = await openDemuxer(source);
  const stream = demuxer.streams[plan.streamIndex];
  if (!stream) throw new TaskError("machine", "The plan names a track that the source does not have.");
  demuxer.select([stream]);
  const { num, den } = stream.timeBase;
  const timescale = plan.timescale || timescaleFor({ num, den });
  const perUnit = (num * timescale) / den;
  const startPts = Number(plan.startPts ?? 0n);
  const toTicks = (pts: bigint) => Math.round((Number(pts) - startPts) * perUnit);
  const segments = chunk.segmentPts.map(toTicks);
  const startTicks = toTicks(chunk.startPts);
  const ends = chunk.endPts === undefined ? {} : { end: toTicks(chunk.endPts) };

  const open = () =>
    openVideoTrack({
      stream,
      plan,
      startPts,
      timescale,
      threads,
      cut: cutChunk({ ...(isFirst ? {} : { start: startTicks }), ...ends, segments }),
      open: (index, context) => {
        const rendition = plan.renditions[index];
        if (!rendition) throw new RangeError(`no rendition ${index}`);
        const { name } = rendition;
        const framesOf = (segment: number) => measuredFrames(segment, segments.length, qualityStride);
        const measuring = { folder: options.folder, name, framesOf, reference };
        const meter = qualityStride > 0 ? createQualityMeter(measuring) : undefined;
        return openRendition(rendition, { ...context, delivery, firstSegment: chunk.firstSegment }, { meter });
      },
    });
  const follow = (track: VideoTrack) => {
    const { frames, seconds } = track.progress();
    options.onProgress({ frames, fraction: frames / Math.max(chunk.frameCount, 1), mediaSeconds: seconds });
  };
  const place = { wanted: Number(chunk.seekPts ?? chunk.startPts), start: Number(chunk.startPts), startTicks };
  const track = isFirst
    ? await readAll(demuxer, stream, await open(), follow)
    : await readFrom(demuxer, stream, place, open, follow);
  // A thread alone is as busy as before until its encoders are empty; of several, more and more rest.
  if (threads !== 1) options.onDraining?.();
  const done = await track.finish();
  if (threads === 1) options.onDraining?.();
  await demuxer.close();
  return {
    done,
    tracks: done.tracks,
    segments,
    toPts: (ticks: number) => BigInt(Math.round(ticks / perUnit) + startPts),
  };
}

/** How many of a sampled segment's pictures are measured, for each segment that it stands for, and at least and at most: at two in four seconds they cost one part in a hundred of an encode. */
const sampledPictures = { each: 2, least: 4, most: 16 };

/** How many of a segment's pictures are measured: of a sample, some in the chunk's middle and in every `stride`th segment from there, so that no chunk goes unmeasured. */
function measuredFrames(segment: number, segments: number, stride: number): number {
  if (stride === 1) return Number.POSITIVE_INFINITY;
  if ((segment - Math.floor((segments - 1) / 2)) % stride !== 0) return 0;
  const { each, least, most } = sampledPictures;
  return Math.min(most, Math.max(least, each * segments));
}

/** Decodes from where the demuxer stands until everything is seen. */
async function readAll(
  demuxer: Demuxer,
  stream: Stream,
  track: VideoTrack,
  follow: (track: VideoTrack) => void,
): Promise<VideoTrack> {
  const packet = newPacket();
  while (!track.done() && (await demuxer.read(packet))) {
    if (packet.streamIndex === stream.index) await track.add(packet);
    packet.unref();
    follow(track);
  }
  packet.free();
  await track.add(null);
  return track;
}

/** Seeks to a key frame from which every picture from the chunk's start on comes out whole, and decodes from there. */
async function readFrom(
  demuxer: Demuxer,
  stream: Stream,
  place: { wanted: number; start: number; startTicks: number },
  open: () => Promise<VideoTrack>,
  follow: (track: VideoTrack) => void,
): Promise<VideoTrack> {
  const unitsPerSecond = stream.timeBase.den / stream.timeBase.num;
  for (const step of [...stepsBack, undefined]) {
    const isBeginning = step === undefined;
    const target = isBeginning ? Number.MIN_SAFE_INTEGER : place.wanted - step * unitsPerSecond;
    if (!(await demuxer.seek(stream, target)) && !isBeginning) continue;
    const packet = newPacket();
    // From the beginning on everything is decoded, as in the first chunk: some sources have no key frames.
    if (!(await (isBeginning ? readNext : readKey)(demuxer, stream, packet))) {
      packet.free();
      continue;
    }
    if (!isBeginning && (packet.pts === AV_NOPTS_VALUE || Number(packet.pts) > place.start)) {
      packet.free();
      continue;
    }
    const track = await open();
    // Up to the first picture: only it tells whether this was far enough back.
    while (track.firstDecoded() === undefined) {
      await track.add(packet);
      packet.unref();
      if (track.firstDecoded() !== undefined || !(await readNext(demuxer, stream, packet))) break;
    }
    const first = track.firstDecoded();
    if (isBeginning || (first !== undefined && first <= place.startTicks)) {
      packet.free();
      return readAll(demuxer, stream, track, follow);
    }
    packet.free();
    track.close();
  }
  throw new TaskError("machine", "The source could not be read at the chunk's beginning.");
}

async function readKey(demuxer: Demuxer, stream: Stream, packet: Packet): Promise<boolean> {
  while (await readNext(demuxer, stream, packet)) {
    if (packet.isKeyframe) return true;
    packet.unref();
  }
  return false;
}

async function readNext(demuxer: Demuxer, stream: Stream, packet: Packet): Promise<boolean> {
  while (await demuxer.read(packet)) {
    if (packet.streamIndex === stream.index) return true;
    packet.unref();
  }
  return false;
}

function newPacket(): Packet {
  const packet = new Packet();
  packet.alloc();
  return packet;
}

/** Compares a chunk with its plan (each segment was checked when it was written). Returns the fault, if there is one. */
function verifyChunk(
  chunk: ChunkPlan,
  segments: number[],
  done: Pick<Awaited<ReturnType<VideoTrack["finish"]>>, "tracks" | "segmentStarts" | "frames" | "decodeErrors">,
): TaskError | undefined {
  const failed = (what: string) => new TaskError("machine", `The chunk failed its check: ${what}.`);
  if (done.frames < chunk.frameCount * leastPart) {
    return new TaskError(
      "input",
      `Only ${done.frames} of ${chunk.frameCount} pictures in a part of the video can be decoded: the file is damaged. Send it again, or another copy.`,
    );
  }
  const isAll = chunk.index === 0 && chunk.endPts === undefined;
  const lengths = done.tracks.map((track) => track.segments.reduce((sum, segment) => sum + segment.duration, 0));
  for (const track of done.tracks) {
    if (track.frames !== done.frames) return failed(`${track.name} has ${track.frames} pictures of ${done.frames}`);
    // A source without reliable times is one chunk, and its segments are where its frames turn out to be.
    if (track.segments.length !== segments.length && !isAll)
      return failed(`${track.name} has ${track.segments.length} segments of ${segments.length}`);
  }
  if (new Set(done.segmentStarts.map(String)).size !== 1) return failed("segments start at different times");
  if (new Set(lengths).size !== 1) return failed("renditions differ in length");
  return undefined;
}
