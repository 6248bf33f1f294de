import type { Storyboard } from "./types.ts";

/** What is known of a storyboard before its pictures are made. */
export type StoryboardPlan = Omit<Storyboard, "files" | "vtt">;

/** Pictures in a row, and rows in a file: a file stays small enough to come at once, and a video needs few. */
const columns = 10;
const rows = 10;

/** Distances between pictures that people find natural, in seconds. */
const intervals = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900];

/** Places a video's small pictures: at most `maxTiles`, none longer than `tileSide` pixels on a side. `width` and `height` are the video's shape. */
export function planStoryboard(options: {
  durationSeconds: number;
  width: number;
  height: number;
  tileSide: number;
  maxTiles: number;
}): StoryboardPlan {
  const { durationSeconds, width, height } = options;
  const maxTiles = Math.max(1, options.maxTiles || 300);
  const scale = Math.min(1, (options.tileSide || 160) / Math.max(width, height));
  const even = (side: number) => Math.max(2, Math.round((side * scale) / 2) * 2);
  const intervalSeconds =
    intervals.find((interval) => Math.ceil(durationSeconds / interval) <= maxTiles) ??
    Math.ceil(durationSeconds / maxTiles);
  const count = Math.max(1, Math.ceil(durationSeconds / intervalSeconds));
  return { width: even(width), height: even(height), columns, rows, intervalSeconds, count };
}

/** The WebVTT file that says which picture, by its place in which file, stands for which part of the video (media fragments, W3C: `#xywh`). */
export function storyboardVtt(plan: StoryboardPlan, files: string[], durationSeconds: number): string {
  const perFile = plan.columns * plan.rows;
  const cues = Array.from({ length: plan.count }, (_, index) => {
    const place = index % perFile;
    const x = (place % plan.columns) * plan.width;
    const y = Math.floor(place / plan.columns) * plan.height;
    const start = index * plan.intervalSeconds;
    const end = index + 1 < plan.count ? start + plan.intervalSeconds : Math.max(durationSeconds, start + 0.001);
    const file = files[Math.floor(index / perFile)];
    return `${timestamp(start)} --> ${timestamp(end)}\n${file}#xywh=${x},${y},${plan.width},${plan.height}\n`;
  });
  return ["WEBVTT\n", ...cues].join("\n");
}

function timestamp(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60];
  return `${two(hours)}:${two(minutes)}:${two(Math.floor(ms / 1000) % 60)}.${String(ms % 1000).padStart(3, "0")}`;
}
