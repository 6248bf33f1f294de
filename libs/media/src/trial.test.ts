import { readdir } from "node:fs/promises";
import { sampleVideo, temporaryFolder } from "@kinora/testing";
import { expect, it } from "vitest";
import { meanQuality } from "./per-title/rate-curve.ts";
import { planTrial } from "./per-title/trial-plan.ts";
import { planEncode } from "./plan/plan-encode.ts";
import { runTask } from "./task.ts";

const limits = { timeLimitMs: 120_000, noProgressMs: 60_000 };

it("a trial says what each way costs and gives, at the size of the largest", { timeout: 120_000 }, async ({
  signal,
}) => {
  const media = await runTask({ ...limits, signal, task: { kind: "probe", sourceUrl: sampleVideo } });
  const { plan } = planEncode(media);
  if (!plan?.video) throw new Error("no plan");
  const fixed = plan.video.renditions.slice(-2);
  const trial = planTrial({ video: plan.video, fixed, durationSeconds: media.durationSeconds });
  const samples = trial.samples
    .slice(0, 2)
    .map((sample) => ({ ...sample, endPts: sample.startPts + ((sample.endPts ?? 0n) - sample.startPts) / 2n }));
  await using out = await temporaryFolder();
  const task = { kind: "trial", sourceUrl: sampleVideo, video: trial.video, samples, outDir: out.path } as const;
  const { points } = await runTask({ ...limits, signal, task });
  expect(points.map(({ crf }) => crf)).toEqual(trial.video.renditions.map(({ crf }) => crf));
  for (const { width } of fixed) {
    const own = points.filter((point) => point.width === width);
    expect(own.every(({ quality }) => (quality?.frames ?? 0) > 40)).toBe(true);
    for (const [index, point] of own.slice(1).entries()) {
      expect(point.bitrate).toBeLessThan(own[index]?.bitrate ?? 0);
      expect(meanQuality(point)).toBeLessThan(meanQuality(own[index] ?? {}));
    }
  }
  expect(await readdir(out.path)).toEqual([]);
});
