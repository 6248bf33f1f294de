import type { ByteSource } from "../source/byte-source.ts";
import type { MediaInfo } from "../types.ts";
import { scanSource } from "./analyse.ts";
import type { ProgressListener } from "./perform.ts";
import { probe } from "./probe.ts";

/** Probe and analysis in one: the number of frames, the length and a variable rate are facts. */
export async function probeWhole(source: ByteSource, onProgress: ProgressListener): Promise<MediaInfo> {
  const media = await probe(source);
  if (!media.video || media.video.pixelFormat === "") return media;
  const { scan, times, table } = await scanSource(source, media, onProgress);
  // A track without a packet is no sound: screen recorders leave such.
  const audio = media.audio.filter((track) => scan.audioEnds.has(track.streamIndex));
  const [main] = audio;
  const audioEnd = (main && scan.audioEnds.get(main.streamIndex)) ?? 0;
  return {
    ...media,
    audio: audio,
    durationSeconds: Math.max(times.end, audioEnd) - media.video.startSeconds,
    video: {
      ...media.video,
      frameRate: times.frameRate,
      variableFrameRate: times.variable,
      frameCount: table.frameCount,
      frameCountExact: true,
    },
  };
}
