import { type Frame, Packet, type Stream } from "node-av/lib";
import type { OutputColour } from "../colour.ts";
import type { ByteSource } from "../source/byte-source.ts";
import { planStoryboard, type StoryboardPlan, storyboardVtt } from "../storyboard.ts";
import { TaskError } from "../task-error.ts";
import { timescaleFor } from "../timescale.ts";
import type { ImagesResult, VideoPlan } from "../types.ts";
import { outputColour, scaleColour } from "./colour.ts";
import { frameTime, openDecoder } from "./decoder.ts";
import type { Delivery } from "./delivery.ts";
import { type Demuxer, openDemuxer } from "./demuxer.ts";
import { openFilter } from "./filter.ts";
import type { ProgressListener } from "./perform.ts";
import { encodeJpeg } from "./poster.ts";
import { createPreparation } from "./preparation.ts";
import { createTileSheet } from "./tile-sheet.ts";

export type ImagesOptions = {
  source: ByteSource;
  video: VideoPlan;
  posterSeconds: number;
  durationSeconds: number;
  tileSide: number;
  maxTiles: number;
  delivery: Delivery;
  onProgress: ProgressListener;
};

/** Quality of the pictures in FFmpeg's scale, 2 (best) to 31. */
const quality = { poster: 3, tiles: 6 };

/** Up to here every frame is decoded, so that each small picture shows its very moment; in longer videos it shows the key frame at or before it, which costs no more than these. */
const exactFrames = 4_000;

/** Makes a poster and a storyboard. */
export async function makeImages(options: ImagesOptions): Promise<ImagesResult> {
  const { source, video, delivery, durationSeconds, onProgress } = options;
  const demuxer = await openDemuxer(source);
  const stream = demuxer.streams[video.streamIndex];
  if (!stream) throw new TaskError("machine", "The plan names a track that the source does not have.");
  demuxer.select([stream]);
  const startSeconds = video.startSeconds;
  const pictures = createPictureReader(demuxer, stream, startSeconds);
  const finish = createFinisher(video, stream);

  await pictures.goTo(options.posterSeconds);
  const first = await pictures.at(options.posterSeconds, true);
  if (!first) return { poster: "" };
  const poster = await finish(first, video.renditions[0]);
  await delivery.deliver("poster.jpg", await encodeJpeg(poster.picture, quality.poster));

  const { tileSide, maxTiles } = options;
  const plan = planStoryboard({ durationSeconds, width: poster.width, height: poster.height, tileSide, maxTiles });
  const isExact = video.frameCount <= exactFrames;
  const sheets = createSheets(plan, delivery);
  await pictures.goTo(undefined);
  for (let index = 0; index < plan.count; index++) {
    const frame = await pictures.at(index * plan.intervalSeconds, isExact);
    if (frame) {
      const tile = await finish(frame, plan);
      await sheets.add(tile.picture, index, tile.colour);
    }
    onProgress({ frames: index, fraction: (index + 1) / plan.count });
  }
  pictures.close();
  const files = await sheets.finish();
  const vtt = "storyboard.vtt";
  await delivery.deliver(vtt, Buffer.from(storyboardVtt(plan, files, durationSeconds)));
  await delivery.settled();
  await demuxer.close();
  return { poster: "poster.jpg", storyboard: { ...plan, files, vtt } };
}

/** Reads single pictures, at rising times. */
function createPictureReader(demuxer: Demuxer, stream: Stream, startSeconds: number) {
  const unit = stream.timeBase.num / stream.timeBase.den;
  let decoder: Awaited<ReturnType<typeof openDecoder>> | undefined;
  let shown: { frame: Frame; seconds: number } | undefined;
  let isOver = false;

  /** Reads on until a picture is at or past a time (or, with `isKey`, the first one); keeps the last that is shown by then. */
  const readTo = async (seconds: number, isKey: boolean): Promise<void> => {
    const packet = new Packet();
    packet.alloc();
    let isThere = false;
    const see = async (from: Packet | null) => {
      decoder ??= await openDecoder(stream);
      for await (const frame of decoder.decode(from)) {
        const at = Number(frameTime(frame) ?? 0n) * unit - startSeconds;
        if (isThere && isKey) frame.free();
        else {
          shown?.frame.free();
          shown = { frame, seconds: at };
          isThere = isKey || at >= seconds;
        }
      }
    };
    while (!isThere) {
      if (await demuxer.read(packet)) {
        const isOurs = packet.streamIndex === stream.index;
        if (isOurs && !isKey) await see(packet);
        // A key frame alone comes out only when the decoder is told that it was the last.
        if (isOurs && isKey && packet.isKeyframe) {
          await see(packet);
          if (!isThere) await see(null);
        }
        packet.unref();
      } else {
        isOver = true;
        await see(null);
        break;
      }
    }
    packet.free();
  };
  const reset = () => {
    decoder?.close();
    decoder = undefined;
  };
  return {
    /** The picture shown at a time, in seconds of the stream; with `isExact` false the key frame there. The receiver frees it. */
    async at(seconds: number, isExact: boolean): Promise<Frame | undefined> {
      if (!isExact) {
        reset();
        isOver = false;
        await demuxer.seek(stream, (seconds + startSeconds) / unit);
        await readTo(seconds, true);
      } else if (!isOver && (!shown || shown.seconds < seconds)) {
        await readTo(seconds, false);
      }
      return shown?.frame.clone() ?? undefined;
    },
    /** Goes to before a time, or back to the beginning. */
    async goTo(seconds: number | undefined) {
      reset();
      isOver = false;
      shown?.frame.free();
      shown = undefined;
      await demuxer.seek(stream, seconds === undefined ? Number.MIN_SAFE_INTEGER : (seconds + startSeconds) / unit);
    },
    close() {
      reset();
      shown?.frame.free();
      shown = undefined;
    },
  };
}

/** Prepares single pictures like those of the renditions, and brings them to a size. */
function createFinisher(video: VideoPlan, stream: Stream) {
  const { num, den } = stream.timeBase;
  const timescale = video.timescale || timescaleFor({ num, den });
  return async (frame: Frame, size: { width: number; height: number } | undefined) => {
    const preparation = createPreparation(video, timescale);
    const prepared: Frame[] = [];
    for (const part of [frame, null]) {
      for await (const { picture } of preparation.push(part)) prepared.push(picture);
    }
    const [picture] = prepared;
    if (!picture) throw new TaskError("machine", "A picture was lost in the filters.");
    const colour: OutputColour = outputColour(video, picture);
    const { width, height } = size ?? { width: picture.width, height: picture.height };
    const chain = `scale=w=${width}:h=${height}:flags=bicubic:${scaleColour(picture, colour)},format=yuv420p,setsar=1`;
    const filter = await openFilter(picture, { num: 1, den: timescale }, chain);
    for await (const scaled of filter.push(picture)) {
      filter.close();
      return { picture: scaled, colour, width, height };
    }
    throw new TaskError("machine", "A picture was lost in the filters.");
  };
}

/** Fills one sheet after the other, and delivers each as soon as it is full. */
function createSheets(plan: StoryboardPlan, delivery: Delivery) {
  const perFile = plan.columns * plan.rows;
  const files: string[] = [];
  let open: ReturnType<typeof createTileSheet> | undefined;
  const close = async () => {
    if (!open) return;
    const name = `storyboard-${files.length + 1}.jpg`;
    const jpeg = await encodeJpeg(open.sheet, quality.tiles);
    open = undefined;
    files.push(name);
    await delivery.deliver(name, jpeg);
  };
  return {
    async add(tile: Frame, index: number, colour: OutputColour) {
      if (index % perFile === 0) await close();
      open ??= createTileSheet(plan, Math.ceil(Math.min(perFile, plan.count - index) / plan.columns), colour);
      open.place(tile, index % perFile);
      tile.free();
    },
    async finish(): Promise<string[]> {
      await close();
      return files;
    },
  };
}
