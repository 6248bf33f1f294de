/** Decodes a stream folder or a file for `inspectStream` and `inspectFile`. */
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AV_LOG_ERROR,
  AV_NOPTS_VALUE,
  AV_PKT_FLAG_KEY,
  AV_SAMPLE_FMT_FLTP,
  type FFDecoderCodec,
} from "node-av/constants";
import { Codec, CodecContext, Frame, Log, Packet, type Stream } from "node-av/lib";
import { check } from "../child/av.ts";
import { frameTime, openDecoder } from "../child/decoder.ts";
import { type Demuxer, openDemuxer } from "../child/demuxer.ts";
import { openFilter } from "../child/filter.ts";
import type { ByteSource } from "../source/byte-source.ts";
import type { InspectedTrack, InspectRequest } from "./index.ts";

process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
const errors: string[] = [];
Log.setCallback((_, message) => void errors.push(message.trim()), { maxLevel: AV_LOG_ERROR });

const [request] = (await once(process, "message")) as [InspectRequest];
try {
  process.send?.({ tracks: await inspect(request) });
} catch (error) {
  process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

function inspect(request: InspectRequest): Promise<InspectedTrack[]> {
  if ("folder" in request) return inspectFolder(request.folder);
  return "file" in request ? inspectFile(request.file) : inspectPicture(request.picture);
}

async function inspectPicture(file: string): Promise<InspectedTrack[]> {
  const context = new CodecContext();
  context.allocContext3(Codec.findDecoderByName("mjpeg" as FFDecoderCodec));
  check(await context.open2(), "open a decoder");
  const packet = new Packet();
  packet.alloc();
  packet.data = await readFile(file);
  const frame = new Frame();
  frame.alloc();
  check(await context.sendPacket(packet), "decode");
  check(await context.sendPacket(null), "decode");
  check(await context.receiveFrame(frame), "decode");
  const { width, height } = frame;
  const none = {
    durationSeconds: 0,
    firstSeconds: 0,
    sampleRate: 0,
    channels: 0,
    frameTimes: [],
    keyTimes: [],
    levels: [],
  };
  const seen = { brightness: [brightnessOf(frame)], corners: cornersOf(frame) };
  return [{ name: file, kind: "video", frames: 1, width, height, ...none, ...seen, errors: [...errors] }];
}

async function inspectFolder(folder: string): Promise<InspectedTrack[]> {
  const tracks: InspectedTrack[] = [];
  for (const entry of (await readdir(folder, { withFileTypes: true })).toSorted((a, b) =>
    a.name.localeCompare(b.name),
  )) {
    if (!entry.isDirectory()) continue;
    const files = await readdir(join(folder, entry.name));
    const numbers = files.flatMap((file) => /^(\d+)\.m4s$/.exec(file)?.[1] ?? []).map(Number);
    const paths = ["init.mp4", ...numbers.toSorted((one, other) => one - other).map((number) => `${number}.m4s`)];
    const parts = await Promise.all(paths.map((path) => readFile(join(folder, entry.name, path))));
    const demuxer = await openDemuxer(memory(Buffer.concat(parts)));
    const kind = demuxer.best("video") ? "video" : "audio";
    tracks.push(await inspectTrack(entry.name, kind, demuxer));
  }
  return tracks;
}

async function inspectFile(file: string): Promise<InspectedTrack[]> {
  const bytes = await readFile(file);
  const tracks: InspectedTrack[] = [];
  for (const kind of ["video", "audio"] as const) {
    const demuxer = await openDemuxer(memory(bytes));
    if (demuxer.best(kind)) tracks.push(await inspectTrack(kind, kind, demuxer));
  }
  return tracks;
}

async function inspectTrack(name: string, kind: "video" | "audio", demuxer: Demuxer): Promise<InspectedTrack> {
  errors.length = 0;
  const stream = demuxer.best(kind) as Stream;
  demuxer.select([stream]);
  const decoder = await openDecoder(stream);
  const unit = stream.timeBase.num / stream.timeBase.den;
  const packet = new Packet();
  packet.alloc();
  const times: number[] = [];
  const keyTimes: number[] = [];
  const brightness: number[] = [];
  const levels: number[] = [];
  let corners: number[] = [];
  let samples = 0;
  let end = Number.NEGATIVE_INFINITY;
  let size = { width: 0, height: 0 };

  const see = async (frame: Frame) => {
    const time = Number(frameTime(frame) ?? 0n) * unit;
    times.push(time);
    if (kind === "video") {
      end = Math.max(end, time + Number(frame.duration) * unit);
      if (times.length === 1) corners = cornersOf(frame);
      size = { width: frame.width, height: frame.height };
      brightness.push(brightnessOf(frame));
    } else {
      samples += frame.nbSamples;
      end = Math.max(end, time + frame.nbSamples / frame.sampleRate);
      await addLevels(levels, frame, time);
    }
    frame.free();
  };
  const decode = async (from: Packet | null) => {
    for await (const frame of decoder.decode(from)) await see(frame);
  };
  while (await demuxer.read(packet)) {
    if (packet.streamIndex === stream.index) {
      if (packet.hasFlags(AV_PKT_FLAG_KEY) && packet.pts !== AV_NOPTS_VALUE) keyTimes.push(Number(packet.pts) * unit);
      await decode(packet);
    }
    packet.unref();
  }
  await decode(null);
  const { sampleRate, channels } = stream.codecpar;
  const [first = 0] = times;
  if (decoder.errors() > 0) errors.push(`${decoder.errors()} packets could not be decoded`);
  if (demuxer.damaged()) errors.push("the file could not be read to its end");
  return {
    name,
    kind,
    frames: kind === "video" ? times.length : samples,
    firstSeconds: first,
    durationSeconds: end - first,
    ...(kind === "video" ? { ...size, sampleRate: 0, channels: 0 } : { width: 0, height: 0, sampleRate, channels }),
    frameTimes: kind === "video" ? times : [],
    keyTimes: kind === "video" ? keyTimes : [],
    brightness,
    corners,
    levels,
    errors: [...errors],
  };
}

/** Of every 37th pixel: enough to tell a flash. */
function brightnessOf(frame: Frame): number {
  const [luma] = frame.data ?? [];
  const [line = frame.width] = frame.linesize;
  if (!luma) return 0;
  let sum = 0;
  let count = 0;
  for (let pixel = 0; pixel < frame.width * frame.height; pixel += 37) {
    sum += luma[Math.floor(pixel / frame.width) * line + (pixel % frame.width)] ?? 0;
    count++;
  }
  return sum / count / 255;
}

function cornersOf(frame: Frame): number[] {
  const [luma] = frame.data ?? [];
  const [line = frame.width] = frame.linesize;
  const at = (x: number, y: number) =>
    (luma?.[Math.floor(y * frame.height) * line + Math.floor(x * frame.width)] ?? 0) / 255;
  return [at(0.1, 0.1), at(0.9, 0.1), at(0.9, 0.9), at(0.1, 0.9)];
}

async function addLevels(levels: number[], frame: Frame, time: number): Promise<void> {
  const { sampleRate } = frame;
  const filter =
    frame.format === AV_SAMPLE_FMT_FLTP
      ? undefined
      : await openFilter(frame, { num: 1, den: sampleRate }, "aformat=sample_fmts=fltp");
  const planar: Frame[] = [];
  if (!filter) planar.push(frame);
  else for await (const converted of filter.push(frame.clone())) planar.push(converted);
  for (const part of planar) {
    const bytes = part.data?.[0];
    if (!bytes) continue;
    for (let index = 0; index < part.nbSamples; index++) {
      const window = Math.floor((time + index / sampleRate) * 100);
      if (window < 0) continue;
      while (levels.length <= window) levels.push(0);
      levels[window] = Math.max(levels[window] ?? 0, Math.abs(bytes.readFloatLE(index * 4)));
    }
    if (part !== frame) part.free();
  }
  filter?.close();
}

function memory(bytes: Buffer): ByteSource {
  return {
    size: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + length),
    close: async () => {},
  };
}
