import { Packet, type Stream } from "node-av/lib";
import type { ByteSource } from "../source/byte-source.ts";
import { TaskError } from "../task-error.ts";
import { timescaleFor } from "../timescale.ts";
import type { EncodePlan, StreamResult } from "../types.ts";
import { openAudioTrack } from "./audio-track.ts";
import type { Delivery } from "./delivery.ts";
import { type Demuxer, openDemuxer } from "./demuxer.ts";
import { cutWhole } from "./frame-cut.ts";
import { createPoster } from "./poster.ts";
import { openRendition } from "./rendition.ts";
import { verify } from "./verify.ts";
import { openVideoTrack } from "./video-track.ts";

export type EncodeOptions = {
  source: ByteSource;
  plan: EncodePlan;
  delivery: Delivery;
  threads: number;
  onProgress: (progress: { frames: number; fraction: number; mediaSeconds: number }) => void;
};

/** Makes a stream as planned, from one pass over the source, and checks it. Resolves when every file is taken. */
export async function encode({ source, plan, delivery, threads, onProgress }: EncodeOptions): Promise<StreamResult> {
  const { segmentSeconds, posterSeconds } = plan;
  if (!plan.video || plan.video.renditions.length === 0)
    throw new TaskError("machine", "The plan names nothing to make.");
  const demuxer = await openDemuxer(source);
  const videoStream = streamOf(demuxer, plan.video.streamIndex);
  const audioStream = plan.audio && streamOf(demuxer, plan.audio.streamIndex);
  demuxer.select(audioStream ? [videoStream, audioStream] : [videoStream]);

  const { num, den } = videoStream.timeBase;
  const { startSeconds, frameCount, renditions } = plan.video;
  const timescale = timescaleFor({ num, den });
  const poster = createPoster(posterSeconds * timescale);
  const video = await openVideoTrack({
    stream: videoStream,
    plan: plan.video,
    cut: cutWhole(segmentSeconds * timescale),
    startPts: Math.round((startSeconds * den) / num),
    timescale,
    threads,
    open: (index, context) => {
      const rendition = renditions[index];
      if (!rendition) throw new RangeError(`no rendition ${index}`);
      return openRendition(
        rendition,
        { ...context, delivery, firstSegment: 1 },
        index === 0 ? { onScaled: poster.see } : {},
      );
    },
  });
  const audio =
    audioStream && plan.audio
      ? await openAudioTrack({ stream: audioStream, plan: plan.audio, segmentSeconds, startSeconds, delivery })
      : undefined;

  const packet = new Packet();
  packet.alloc();
  while (await demuxer.read(packet)) {
    if (packet.streamIndex === videoStream.index) await video.add(packet);
    else if (packet.streamIndex === audioStream?.index) await audio?.add(packet);
    packet.unref();
    const { frames, seconds } = video.progress();
    onProgress({ frames, fraction: frames / frameCount, mediaSeconds: seconds });
  }
  packet.free();
  await video.add(null);
  await audio?.add(null);
  const pictures = await video.finish();
  const sound = await audio?.finish();

  const problem = verify({ plan, pictures, sound });
  if (problem) throw problem;
  const jpeg = await poster.jpeg();
  if (jpeg) await delivery.deliver("poster.jpg", jpeg);
  await delivery.settled();
  return { video: pictures.tracks, audio: sound?.track, poster: jpeg ? "poster.jpg" : "" };
}

function streamOf(demuxer: Demuxer, index: number): Stream {
  const stream = demuxer.streams[index];
  if (!stream) throw new TaskError("machine", "The plan names a track that the source does not have.");
  return stream;
}
