import type { ChunkPlan, EncodePlan, MediaInfo } from "@kinora/media";
import type { MediaTask } from "@kinora/media/task";
import { expect, it } from "vitest";
import { nicenessOf } from "./niceness.ts";

const analyse = (chunks: Partial<ChunkPlan>[]): MediaTask => ({
  kind: "analyse",
  sourceUrl: "",
  media: {} as MediaInfo,
  plan: { chunks } as EncodePlan,
});

it("an analysis stands back as far as the head's chunks do; without a head, everything waits for it", () => {
  expect(nicenessOf(analyse([{ index: 0 }, { index: 1 }]))).toBe(10);
  expect(nicenessOf(analyse([]))).toBe(0);
});
