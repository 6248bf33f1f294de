import { sampleVideo } from "@kinora/testing";
import { expect, it } from "vitest";
import { runTask } from "./task.ts";

const limits = { timeLimitMs: 60_000, noProgressMs: 30_000 };

it("a probe takes the sample for what it is: 24 pictures a second, evenly", async ({ signal }) => {
  const { video } = await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl: sampleVideo } });
  expect(video).toMatchObject({
    frameRate: { num: 24, den: 1 },
    variableFrameRate: false,
    frameCount: 274,
    seekable: true,
  });
});
