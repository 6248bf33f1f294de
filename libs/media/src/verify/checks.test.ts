import { describe, expect, it } from "vitest";
import type { EncodePlan, TrackResult } from "../types.ts";
import { checkStream } from "./checks.ts";
import type { StreamFacts, TrackFacts } from "./stream-facts.ts";

const plan = { segmentSeconds: 4, chunks: [], complete: true } as unknown as EncodePlan;

/** A track whose segments last so many units of a thousandth of a second. */
function track(name: string, kind: TrackFacts["kind"], durations: number[], bytes = 1000): TrackFacts {
  let time = 0;
  const segments = durations.map((duration, index) => {
    const sample = { duration, size: bytes, compositionOffset: 0, sync: true };
    const head = { number: index + 1, decodeTime: time, samples: [sample], dataStart: 100 };
    time += duration;
    return { head, bytes, startsWithKey: true };
  });
  const made = {
    name,
    codecs: "avc1.640015",
    timescale: 1000,
    start: 0,
    width: 320,
    height: 180,
    frames: durations.length,
  };
  return {
    kind,
    made: { ...made, segments: durations.map((duration) => ({ duration, bytes })) } as unknown as TrackResult,
    initSha256: new Uint8Array(),
    skip: 0,
    segments,
  };
}

const outcomesOf = (tracks: TrackFacts[], name: string) => {
  const master = { variants: [], media: [], iframes: [], problems: [] };
  const manifest: StreamFacts["manifest"] = { isStatic: true, tracks: [], problems: [] };
  const checks = checkStream(plan, { master, manifest, tracks, seams: [] });
  return checks.filter((check) => check.name === name).map(({ outcome }) => outcome);
};

describe("durations", () => {
  it("fail where renditions end apart", () => {
    const whole = track("360p", "video", [4000, 4000]);
    expect(outcomesOf([whole, track("240p", "video", [4000, 4000])], "durations")).toEqual(["passed"]);
    expect(outcomesOf([whole, track("240p", "video", [4000, 3960])], "durations")).toEqual(["failed"]);
  });

  it("are noted where sound ends apart: a source's may", () => {
    const whole = track("360p", "video", [4000, 4000]);
    expect(outcomesOf([whole, track("audio", "audio", [4000, 3500])], "durations")).toEqual(["passed"]);
    expect(outcomesOf([whole, track("audio", "audio", [4000, 1000])], "durations")).toEqual(["noted"]);
  });
});

describe("the peak", () => {
  it("is noted above twice the average: a still that explodes is none of the encoder's fault", () => {
    const even = track("360p", "video", [4000, 4000, 4000, 4000]);
    expect(outcomesOf([even], "peak")).toEqual(["passed"]);
    const [first] = even.segments;
    if (first) first.bytes = 9_000;
    expect(outcomesOf([even], "peak")).toEqual(["noted"]);
  });
});
