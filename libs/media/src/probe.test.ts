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

it("an analysis finds the same where a worker of an earlier release has probed", async ({ signal }) => {
  const media = await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl: sampleVideo } });
  expect(media.video?.packetsAreFrames).toBe(true);
  const earlier = { ...media, ...(media.video && { video: { ...media.video, packetsAreFrames: false } }) };
  const [now, then] = await Promise.all(
    [media, earlier].map((media) =>
      runTask({ ...limits, signal, task: { kind: "analyse", sourceUrl: sampleVideo, media } }),
    ),
  );
  expect(now).toEqual(then);
});
