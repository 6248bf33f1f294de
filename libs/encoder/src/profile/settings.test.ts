import { describe, expect, it } from "vitest";
import { settingsFaults } from "./check-settings.ts";
import { mergeSettings } from "./merge-settings.ts";

const rung = (name: string, longSide: number, shortSide: number, maxBitrate: number) => ({
  name,
  longSide,
  shortSide,
  maxBitrate,
});
const fields = (settings: Parameters<typeof settingsFaults>[0]) => settingsFaults(settings).map(({ field }) => field);

describe("settingsFaults", () => {
  it("finds nothing in settings that go together", () => {
    expect(settingsFaults({})).toEqual([]);
    expect(settingsFaults({ codec: "av1", preset: "6", crf: 60 })).toEqual([]);
    expect(settingsFaults({ ladder: "per-title", qualityTarget: 40 })).toEqual([]);
    expect(settingsFaults({ rungs: [rung("hd", 1280, 720, 3_000_000), rung("square", 720, 720, 2_000_000)] })).toEqual(
      [],
    );
  });

  it("names each field that doesn't go with another", () => {
    expect(fields({ codec: "vp8" })).toEqual(["settings.codec"]);
    expect(fields({ preset: "6" })).toEqual(["settings.preset"]);
    expect(fields({ codec: "av1", preset: "slow", crf: 64 })).toEqual(["settings.preset", "settings.crf"]);
    expect(fields({ codec: "hevc", crf: 52 })).toEqual(["settings.crf"]);
    expect(fields({ crf: Number.NaN })).toEqual(["settings.crf"]);
    expect(fields({ qualityTarget: 40 })).toEqual(["settings.quality_target"]);
    expect(
      fields({
        rungs: [rung("a", 640, 360, 900_000), rung("a", 854, 480, 900_000), rung("b", 200, 300, 100_000)],
      }),
    ).toEqual([
      "settings.rungs[1].name",
      "settings.rungs[1]",
      "settings.rungs[1].max_bitrate",
      "settings.rungs[2].long_side",
    ]);
  });
});

describe("mergeSettings", () => {
  it("lets the request say otherwise, field by field", () => {
    const base = { codec: "h264", preset: "slow", crf: 20, segmentSeconds: 4, rungs: [rung("a", 640, 360, 900_000)] };
    expect(mergeSettings(base, {})).toEqual(base);
    expect(mergeSettings(base, { crf: 24, preset: undefined })).toEqual({ ...base, crf: 24 });
    expect(mergeSettings(base, { rungs: [rung("b", 320, 180, 300_000)] }).rungs).toEqual([
      rung("b", 320, 180, 300_000),
    ]);
  });

  it("doesn't carry a codec's scales over to another codec", () => {
    const base = { codec: "h264", preset: "slow", crf: 20, segmentSeconds: 2 };
    expect(mergeSettings(base, { codec: "av1" })).toEqual({ codec: "av1", segmentSeconds: 2, rungs: [] });
    expect(mergeSettings(base, { codec: "h264" })).toEqual({ ...base, rungs: [] });
    expect(mergeSettings({ ladder: "per-title", qualityTarget: 40 }, { ladder: "fixed" })).toEqual({
      ladder: "fixed",
      rungs: [],
    });
  });
});
