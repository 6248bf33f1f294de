import { Packet } from "node-av/lib";
import type { ByteSource } from "../source/byte-source.ts";
import { TaskError } from "../task-error.ts";
import type { AudioPlan, TrackResult } from "../types.ts";
import { openAudioTrack } from "./audio-track.ts";
import type { Delivery } from "./delivery.ts";
import { openDemuxer } from "./demuxer.ts";
import { giveWay } from "./give-way.ts";
import type { ProgressListener } from "./perform.ts";
import { verifySound } from "./verify.ts";

/** So many segments are what a stream begins with. The rest of a track, which is made many times as fast as people hear it, stands back by `niceness` on the scale of `nice`, behind pictures. */
const beginning = 3;
const niceness = 15;

export type EncodeAudioOptions = {
  source: ByteSource;
  audio: AudioPlan;
  startSeconds: number;
  segmentSeconds: number;
  delivery: Delivery;
  onProgress: ProgressListener;
  /** The track as far as its files are announced. */
  onTrack: (track: TrackResult) => void;
};

/** Makes one track of sound, as a whole: an encoder that starts anew in the middle can be heard. Resolves when every file is taken. */
export async function encodeAudio(options: EncodeAudioOptions): Promise<TrackResult> {
  const { source, audio, delivery, onProgress, onTrack } = options;
  const demuxer = await openDemuxer(source);
  const stream = demuxer.streams[audio.streamIndex];
  if (!stream) throw new TaskError("machine", "The plan names a track that the source does not have.");
  demuxer.select([stream]);
  const { segmentSeconds, startSeconds } = options;
  const track = await openAudioTrack({ stream, plan: audio, segmentSeconds, startSeconds, delivery });
  const packet = new Packet();
  packet.alloc();
  let told = 0;
  while (await demuxer.read(packet)) {
    if (packet.streamIndex === stream.index) await track.add(packet);
    packet.unref();
    const { frames, segments } = track.progress();
    onProgress({
      frames,
      fraction: demuxer.position() / source.size,
      mediaSeconds: (frames * 1024) / audio.sampleRate,
    });
    const soFar = segments > told ? track.soFar() : undefined;
    if (soFar) onTrack(soFar);
    if (told < beginning && segments >= beginning) giveWay(niceness);
    told = segments;
  }
  packet.free();
  await track.add(null);
  const sound = await track.finish();
  const problem = verifySound(sound);
  if (problem) throw problem;
  await delivery.settled();
  await demuxer.close();
  return sound.track;
}
