import { AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG } from "node-av/constants";
import { Frame } from "node-av/lib";
import type { OutputColour } from "../colour.ts";
import type { StoryboardPlan } from "../storyboard.ts";
import { check } from "./av.ts";
import { encoderColour } from "./colour.ts";

/** Puts small pictures side by side into a large one. All are 4:2:0 with even sides. */
export function createTileSheet(
  plan: Pick<StoryboardPlan, "width" | "height" | "columns">,
  rows: number,
  colour: OutputColour,
) {
  const sheet = new Frame();
  sheet.alloc();
  sheet.width = plan.width * plan.columns;
  sheet.height = plan.height * rows;
  sheet.format = AV_PIX_FMT_YUV420P;
  sheet.colorSpace = encoderColour(colour).matrix;
  sheet.colorRange = AVCOL_RANGE_MPEG;
  check(sheet.getBuffer(), "make a picture");
  // Black in limited range.
  for (const [plane, bytes] of (sheet.data ?? []).entries()) bytes.fill(plane === 0 ? 16 : 128);
  return {
    sheet,
    /** Copies a picture to its place, counted from 0 in rows from the top left. */
    place(tile: Frame, index: number): void {
      const column = index % plan.columns;
      const row = Math.floor(index / plan.columns);
      for (let plane = 0; plane < 3; plane++) {
        const half = plane === 0 ? 1 : 2;
        const [width, height] = [plan.width / half, plan.height / half];
        const [from, to] = [tile.data?.[plane], sheet.data?.[plane]];
        const [fromLine = 0, toLine = 0] = [tile.linesize[plane], sheet.linesize[plane]];
        if (!from || !to) continue;
        for (let line = 0; line < height; line++) {
          const at = (row * height + line) * toLine + column * width;
          from.copy(to, at, line * fromLine, line * fromLine + width);
        }
      }
    },
  };
}
