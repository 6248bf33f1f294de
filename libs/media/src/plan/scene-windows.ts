import type { FrameTable } from "../types.ts";
import type { PossibleCut } from "./chunks.ts";
import { lastAtOrBelow, lookUpFrames } from "./frame-lookup.ts";

/** A part of a source to decode in search of a scene, by PTS. */
export type SceneWindow = {
  /** The key frame that decoding begins at. */
  seekPts: bigint;
  /** The first picture to compare with others. */
  fromPts: bigint;
  /** Scenes may begin from here … */
  startPts: bigint;
  /** … to here. */
  endPts: bigint;
  /** Pictures to decode. */
  pictures: number;
};

/** Of a lone slot's source this part is decoded at most, and less with more slots, since all of them wait for it. To look at a picture is a twentieth of the work that its ladder is, so that this is little over one part in a hundred. */
const decodedPart = 0.25;
/** Pixels decoded in all, however long the source is: four to six seconds of a core for H.264. */
const maxPixels = 3e9;
/** Bytes read for it in all: where pictures are coded one by one with hardly a loss, those are what costs. */
const maxBytes = 100e6;
/** Pictures before a window that the first one in it is compared with. A jump is judged by how much more it is than the one before. */
const picturesBefore = 2;

/**
 * Chooses the windows around cuts that may be decoded, so that a source is looked at evenly and within bounds: by the source and the number of slots alone. Asked in rising order; undefined where a window is too dear, since its
 * key frame is far before it, the source is long or the fleet is large.
 * @param pixels of a picture
 * @param bytes of the source
 */
export function createSceneWindows(
  table: FrameTable,
  { slots, pixels, bytes }: { slots: number; pixels: number; bytes: number },
): (cut: PossibleCut) => SceneWindow | undefined {
  const frames = lookUpFrames(table);
  const { keyframePts, lastCutPts } = table;
  const part = Math.min(decodedPart / Math.max(1, slots), maxPixels / (pixels * frames.count), maxBytes / bytes);
  let decoded = 0;
  return ({ pts, slack }) => {
    const [startPts, endPts] = [pts - slack, pts + slack];
    if (lastCutPts !== undefined && endPts > lastCutPts) return undefined;
    const fromPts = frames.ptsOf(Math.max(0, frames.frameAt(startPts) - picturesBefore));
    const seekPts = keyframePts[lastAtOrBelow(keyframePts, fromPts)];
    if (seekPts === undefined || seekPts > fromPts) return undefined;
    const pictures = frames.frameAt(endPts) - frames.frameAt(seekPts) + 1;
    if (decoded + pictures > frames.frameAt(pts) * part) return undefined;
    decoded += pictures;
    return { seekPts, fromPts, startPts, endPts, pictures };
  };
}
