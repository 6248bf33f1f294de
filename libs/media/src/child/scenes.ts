import { AV_NOPTS_VALUE } from "node-av/constants";
import { type Frame, Packet, type Stream } from "node-av/lib";
import { cutChunks } from "../plan/chunks.ts";
import { chunkOptions } from "../plan/complete-plan.ts";
import { lastAtOrBelow } from "../plan/frame-lookup.ts";
import { createSceneChoice } from "../plan/scene-choice.ts";
import { createSceneWindows, type SceneWindow } from "../plan/scene-windows.ts";
import type { EncodePlan, FrameTable, SceneChange, VideoTrack } from "../types.ts";
import { frameTime, openDecoder } from "./decoder.ts";
import type { Demuxer } from "./demuxer.ts";
import { type Filter, frameKey, openFilter } from "./filter.ts";

/** FFmpeg's score (0 to 100) from which a picture begins a scene: its filter's default. A false one does no harm, since chunks begin with a key frame anyway. */
const leastScore = 10;

/** Pictures are compared at this size: noise and grain change less there. */
const chain = "scale=64:36:flags=fast_bilinear,format=gray,scdet";

/**
 * Looks for the scenes that the plan's chunks may begin with, where its cuts will fall, as far as that is cheap: `createSceneWindows` chooses where, and where there is a guess already it is good enough. Gives the table's scenes, which are guesses, with those that were seen in place of the ones that lie where was looked.
 */
export async function findScenes(
  { demuxer, video }: { demuxer: Demuxer; video: Stream },
  source: { track: VideoTrack; table: FrameTable; plan: EncodePlan; bytes: number },
  onPicture: () => void,
): Promise<SceneChange[]> {
  const { track, table, plan, bytes } = source;
  demuxer.select([video]);
  const options = chunkOptions(plan, { seekable: track.seekable ?? false });
  const { slots } = options.fleet;
  const windowAt = createSceneWindows(table, { slots, pixels: track.width * track.height, bytes });
  const guessNear = createSceneChoice(table.sceneChanges);
  const seen: SceneChange[] = [];
  const looked: SceneWindow[] = [];
  const cuts = cutChunks(plan.chunks ?? [], table, options);
  let cut = cuts.next();
  while (!cut.done) {
    const guess = guessNear(cut.value);
    // The chunk would begin with that key frame anyway.
    const window = guess === undefined ? windowAt(cut.value) : undefined;
    const found = window && (await look(demuxer, video, window, onPicture));
    if (window && found) {
      looked.push(window);
      seen.push(...found);
    }
    cut = cuts.next(found ? createSceneChoice(found)(cut.value) : guess);
  }
  const starts = looked.map(({ startPts }) => startPts);
  const isSeen = (pts: bigint) => {
    const window = looked[lastAtOrBelow(starts, pts)];
    return window !== undefined && pts >= window.startPts && pts <= window.endPts;
  };
  return [...table.sceneChanges.filter(({ pts }) => !isSeen(pts)), ...seen].sort((one, other) =>
    Number(one.pts - other.pts),
  );
}

/** Seconds before the key frame to try next: where packets are found by the time of decoding, a seek to its own time lands behind it. */
const stepsBack = [0, 1];
/** Packets read in search of the key frame. */
const maxPassed = 600;
/** Packets behind the window's last that its pictures may wait for. */
const reordered = 32;

/** Decodes a window. Gives the scenes that begin in it; undefined where its pictures aren't found, or none of them can be decoded. */
async function look(
  demuxer: Demuxer,
  video: Stream,
  window: SceneWindow,
  onPicture: () => void,
): Promise<SceneChange[] | undefined> {
  const packet = new Packet();
  packet.alloc();
  const decoder = await openDecoder(video, 1, { isRough: true });
  const comparison = createComparison(video);
  let pictures = 0;
  let isOver = false;
  const scenes: SceneChange[] = [];
  const decode = async (from: Packet | null) => {
    for await (const frame of decoder.decode(from)) {
      const time = frameTime(frame);
      if (time === undefined || time < window.fromPts || isOver) {
        frame.free();
        continue;
      }
      isOver = time > window.endPts;
      pictures++;
      frame.pts = time;
      const score = await comparison.score(frame);
      if (score >= leastScore && time >= window.startPts && time <= window.endPts)
        scenes.push({ pts: time, score: score / 100 });
    }
  };
  if (await seekTo(demuxer, video, window.seekPts, packet)) {
    let left = window.pictures + reordered;
    do {
      if (packet.streamIndex === video.index) {
        // Pictures before the window that no other refers to.
        decoder.passOver(packet.pts !== AV_NOPTS_VALUE && packet.pts < window.fromPts);
        await decode(packet);
        left--;
        onPicture();
      }
      packet.unref();
    } while (!isOver && left > 0 && (await demuxer.read(packet)));
    if (!isOver) await decode(null);
  }
  comparison.close();
  decoder.close();
  packet.free();
  return pictures > 0 ? scenes : undefined;
}

/** Reads the packet of a key frame. False if it isn't found. */
async function seekTo(demuxer: Demuxer, video: Stream, pts: bigint, packet: Packet): Promise<boolean> {
  const unitsPerSecond = video.timeBase.den / video.timeBase.num;
  for (const step of stepsBack) {
    if (!(await demuxer.seek(video, Number(pts) - step * unitsPerSecond))) continue;
    for (let passed = 0; passed < maxPassed && (await demuxer.read(packet)); passed++) {
      if (packet.streamIndex === video.index && packet.isKeyframe) {
        if (packet.pts === pts) return true;
        if (packet.pts > pts) break;
      }
      packet.unref();
    }
    packet.unref();
  }
  return false;
}

/** Compares each picture with the one before. */
function createComparison(video: Stream) {
  const { num, den } = video.timeBase;
  let open: { key: string; filter: Filter } | undefined;
  return {
    /** How sure it is that this picture (which is freed) begins a scene, 0 to 100. Nothing can be said of the first one, nor of one of another size or format. */
    async score(frame: Frame): Promise<number> {
      const key = frameKey(frame);
      if (open?.key !== key) {
        open?.filter.close();
        open = { key, filter: await openFilter(frame, { num, den }, chain) };
      }
      let score = 0;
      for await (const compared of open.filter.push(frame)) {
        score = Number(compared.getMetadata().get("lavfi.scd.score") ?? 0);
        compared.free();
      }
      return score;
    },
    close: () => open?.filter.close(),
  };
}
