import { createHash } from "node:crypto";
import { AV_CODEC_ID_AV1, AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_NOPTS_VALUE, type AVCodecID } from "node-av/constants";
import { Codec, CodecContext, Frame, Packet } from "node-av/lib";
import { findBox } from "../mp4/box.ts";
import { readMediaSegment, readSegmentHead } from "../mp4/media-segment.ts";
import { codecBindings, type VideoCodec } from "../mp4/video-codec.ts";
import { TaskError } from "../task-error.ts";
import type { EncodePlan, StreamResult, TrackResult, VerificationReport } from "../types.ts";
import { checkStream, isPassed } from "../verify/checks.ts";
import { readDashManifest } from "../verify/dash-timelines.ts";
import { type HlsMaster, readHlsMaster, readHlsMedia } from "../verify/hls-playlists.ts";
import type { SeamFacts, SegmentFacts, TrackFacts } from "../verify/stream-facts.ts";
import { check, present } from "./av.ts";
import type { ProgressListener } from "./perform.ts";
import { createStreamReader, type StreamReader } from "./stream-reader.ts";

/** Seams that are decoded in each of the two renditions looked at: decoding all would cost as much as watching the video. */
const seamsPerTrack = 8;
/** Segments read at the same time. */
const parallel = 8;
/** A segment's head and first picture are in its first bytes; where their length isn't known, in this many. */
const headBytes = 64 * 1024;

/**
 * Checks a finished stream as a player would meet it: playlists, manifest, every initialisation segment, the head and first picture of every segment, and, decoded, the segments on both sides of up to eight seams between
 * chunks in the largest and the smallest rendition. Rejects only when the stream can't be reached.
 */
export async function verifyStream(options: {
  streamUrl: string;
  plan: EncodePlan;
  result: StreamResult;
  onProgress: ProgressListener;
}): Promise<VerificationReport> {
  const { plan, result, onProgress } = options;
  const startedAt = performance.now();
  const reader = createStreamReader();
  const base = options.streamUrl.replace(/\/*$/, "/");
  const masterText = await reader.text(new URL("master.m3u8", base).href);
  const master = readHlsMaster(masterText.text);
  const manifest = readDashManifest((await reader.text(new URL("manifest.mpd", base).href)).text);
  const sound =
    result.audioTracks && result.audioTracks.length > 0 ? result.audioTracks : result.audio ? [result.audio] : [];
  const made = [
    ...result.video.map((track) => ({ kind: "video" as const, made: track })),
    ...sound.map((track) => ({ kind: "audio" as const, made: track })),
  ];
  const total = made.reduce((sum, track) => sum + track.made.segments.length, 0);
  let read = 0;
  const tracks: TrackFacts[] = [];
  const addresses = new Map<string, { init: string; segments: string[] }>();
  for (const { kind, made: track } of made) {
    const entry = [...master.variants, ...master.media].find(({ uri }) => nameOf(uri) === track.name);
    if (!entry) {
      tracks.push({ kind, made: track, initSha256: new Uint8Array(), skip: 0, segments: [] });
      continue;
    }
    try {
      const playlistText = await reader.text(new URL(entry.uri, masterText.url).href);
      const playlist = readHlsMedia(playlistText.text);
      const init = await reader.bytes(new URL(playlist.map, playlistText.url).href);
      const urls = playlist.segments.map(({ uri }) => new URL(uri, playlistText.url).href);
      addresses.set(track.name, { init: new URL(playlist.map, playlistText.url).href, segments: urls });
      const segments = await inParallel(urls, async (url, index) => {
        const facts = await readSegment(reader, url, kind, track, index);
        onProgress({ frames: 0, fraction: ++read / Math.max(1, total) });
        return facts;
      });
      const keyFrames = await readKeyFrames(reader, master, masterText.url, track.name);
      tracks.push({
        kind,
        made: track,
        entry,
        playlist,
        keyFrames,
        initSha256: sha256(init),
        skip: skipOf(init),
        segments,
      });
    } catch (error) {
      if (error instanceof TaskError) throw error;
      tracks.push({ kind, made: track, entry, initSha256: new Uint8Array(), skip: 0, segments: [] });
    }
  }
  const seams: SeamFacts[] = [];
  const looked = result.video.filter((_, index) => index === 0 || index === result.video.length - 1);
  for (const track of looked) {
    const known = addresses.get(track.name);
    for (const segment of chooseSeams(plan, track)) {
      const urls = known?.segments.slice(segment - 2, segment) ?? [];
      const facts =
        tracks.find(({ made: { name } }) => name === track.name)?.segments.slice(segment - 2, segment) ?? [];
      // What can't be read has failed its check already.
      const isReadable = facts.every(({ head, problem }) => head && !problem);
      if (known && urls.length === 2 && isReadable)
        seams.push(await decodeSeam(reader, known.init, urls, track, segment));
      onProgress({ frames: 0, fraction: 1 });
    }
  }
  const checks = checkStream(plan, { master, manifest, tracks, seams });
  return {
    passed: isPassed(checks),
    checks,
    decodedFrames: seams.reduce((sum, { decodedTimes }) => sum + decodedTimes.length, 0),
    seconds: (performance.now() - startedAt) / 1000,
  };
}

/** A track's playlist of key frames; undefined if there is none, or it isn't where it should be. */
async function readKeyFrames(reader: StreamReader, { iframes }: HlsMaster, masterUrl: string, track: string) {
  const entry = iframes.find(({ uri }) => nameOf(uri) === track);
  if (!entry) return undefined;
  try {
    return readHlsMedia((await reader.text(new URL(entry.uri, masterUrl).href)).text);
  } catch (error) {
    if (error instanceof TaskError) throw error;
    return undefined;
  }
}

/** Numbers of segments before which two chunks meet, spread over the video; of a video of one chunk, of any. */
function chooseSeams(plan: EncodePlan, track: TrackResult): number[] {
  const ofChunks = (plan.chunks ?? []).map(({ firstSegment }) => firstSegment).filter((number) => number > 1);
  const all = ofChunks.length > 0 ? ofChunks : track.segments.slice(1).map((_, index) => index + 2);
  const step = Math.max(1, all.length / seamsPerTrack);
  return Array.from({ length: Math.min(all.length, seamsPerTrack) }, (_, index) => all[Math.floor(index * step)] ?? 0);
}

async function readSegment(
  reader: StreamReader,
  url: string,
  kind: TrackFacts["kind"],
  track: TrackResult,
  index: number,
): Promise<SegmentFacts> {
  const wanted = track.segments[index]?.keyFrameBytes || headBytes;
  try {
    const { bytes, size } = await reader.start(url, wanted);
    const head = readSegmentHead(bytes);
    const length = head.samples.reduce((sum, sample) => sum + sample.size, head.dataStart);
    if (length !== size)
      return { bytes: size, startsWithKey: false, problem: `its samples need ${length} bytes of ${size}` };
    const [first] = head.samples;
    const data = bytes.subarray(head.dataStart, head.dataStart + (first?.size ?? 0));
    const startsWithKey =
      kind === "audio" || (first?.sync === true && codecBindings[codecOf(track)].isKey(Buffer.from(data)));
    return { head, bytes: size, startsWithKey };
  } catch (error) {
    if (error instanceof TaskError) throw error;
    return { bytes: 0, startsWithKey: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

const codecIds: Record<VideoCodec, AVCodecID> = {
  h264: AV_CODEC_ID_H264,
  hevc: AV_CODEC_ID_HEVC,
  av1: AV_CODEC_ID_AV1,
};

/** Decodes the segments on both sides of a seam in one go, as a player does. Times are presentation times before the edit list. */
async function decodeSeam(
  reader: StreamReader,
  initUrl: string,
  urls: string[],
  track: TrackResult,
  segment: number,
): Promise<SeamFacts> {
  const init = await reader.bytes(initUrl);
  const codec = codecOf(track);
  const entry = findBox(init, "moov/trak/mdia/minf/stbl/stsd").subarray(8);
  const { entry: type, record } = codecBindings[codec];
  const configuration = findBox(findBox(entry, type).subarray(78), record);
  const decoder = new CodecContext();
  const found = present(Codec.findDecoder(codecIds[codec]), "decoder for the stream");
  decoder.allocContext3(found);
  decoder.extraData = configuration;
  check(await decoder.open2(found), "open a decoder for the stream");
  const expectedTimes: number[] = [];
  const decodedTimes: number[] = [];
  let errors = 0;
  const receive = async () => {
    for (;;) {
      const frame = new Frame();
      frame.alloc();
      const code = await decoder.receiveFrame(frame);
      if (code >= 0) decodedTimes.push(frame.pts === AV_NOPTS_VALUE ? -1 : Number(frame.pts));
      frame.free();
      if (code < 0) return;
    }
  };
  const packet = new Packet();
  packet.alloc();
  for (const url of urls) {
    const { decodeTime, samples } = readMediaSegment(await reader.bytes(url));
    let at = decodeTime;
    for (const sample of samples) {
      const time = at + sample.compositionOffset;
      expectedTimes.push(time);
      packet.data = Buffer.from(sample.data);
      packet.pts = BigInt(time);
      packet.dts = BigInt(at);
      at += sample.duration;
      if ((await decoder.sendPacket(packet)) < 0) errors++;
      packet.unref();
      await receive();
    }
  }
  await decoder.sendPacket(null);
  await receive();
  packet.free();
  decoder.freeContext();
  return { track: track.name, segment, expectedTimes: expectedTimes.sort((a, b) => a - b), decodedTimes, errors };
}

function codecOf({ codecs }: TrackResult): VideoCodec {
  if (codecs.startsWith("hvc1")) return "hevc";
  return codecs.startsWith("av01") ? "av1" : "h264";
}

/** The track's folder in an address such as `v2/720p/playlist.m3u8`. */
function nameOf(uri: string): string {
  return uri.split(/[?#]/)[0]?.split("/").at(-2) ?? "";
}

/** What an initialisation segment's edit list takes off. */
function skipOf(init: Buffer): number {
  try {
    return findBox(init, "moov/trak/edts/elst").readUInt32BE(12);
  } catch (error) {
    if (error instanceof RangeError) return 0;
    throw error;
  }
}

function sha256(bytes: Buffer): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

async function inParallel<In, Out>(items: In[], work: (item: In, index: number) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as In, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, lane));
  return results;
}
