import type { Benchmark } from "../harness/benchmark.ts";
import { chunking } from "./parts/chunking.ts";
import { firstSegment } from "./parts/first-segment.ts";
import { ladder } from "./parts/ladder.ts";
import { perTitle } from "./parts/per-title.ts";
import { scale } from "./parts/scale.ts";

/** What encoding costs: `npm run bench -- encode`. */
export const encode: Benchmark = {
  name: "encode",
  about: "the tasks of an encode against one ffmpeg command; what chunks cost and what a second worker is worth",
  parts: [ladder, scale, chunking, perTitle, firstSegment],
};
