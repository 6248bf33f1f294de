import { AV_NOPTS_VALUE } from "node-av/constants";
import { expect, it } from "vitest";
import { createTimeline } from "./timeline.ts";

const video = { index: 0, timeBase: { num: 1, den: 90_000 } };
const audio = { index: 1, timeBase: { num: 1, den: 48_000 } };
const packet = (seconds: number, stream: typeof video, duration: number) => ({
  pts: BigInt(Math.round((seconds + 0.04) * stream.timeBase.den)),
  dts: BigInt(Math.round(seconds * stream.timeBase.den)),
  duration: BigInt(Math.round(duration * stream.timeBase.den)),
});

it("leaves ordinary times, pauses and reordering alone", () => {
  const timeline = createTimeline();
  for (const seconds of [5, 5.04, 5.08, 12, 12.04]) {
    const one = packet(seconds, video, 0.04);
    const before = { ...one };
    timeline(one, video);
    expect(one).toEqual(before);
  }
});

it.each([
  ["back to zero", 95_000, 0],
  ["a little back", 3, 1.4],
  ["far ahead", 10, 40_000],
])("runs on where the clock jumps %s, with both tracks in step", (_, first, second) => {
  const timeline = createTimeline();
  timeline(packet(first, audio, 0.02), audio);
  timeline(packet(first, video, 0.04), video);
  const sound = packet(second, audio, 0.02);
  const picture = packet(second + 0.01, video, 0.04);
  timeline(sound, audio);
  timeline(picture, video);
  expect(Number(sound.dts) / 48_000).toBeCloseTo(first + 0.02, 4);
  expect(Number(picture.dts) / 90_000 - Number(sound.dts) / 48_000).toBeCloseTo(0.01, 4);
  expect(Number(picture.pts - picture.dts) / 90_000).toBeCloseTo(0.04, 4);
});

it("leaves packets without times alone", () => {
  const timeline = createTimeline();
  const untimed = { pts: AV_NOPTS_VALUE, dts: AV_NOPTS_VALUE, duration: 0n };
  timeline(untimed, video);
  expect(untimed.pts).toBe(AV_NOPTS_VALUE);
});
