import { expect, describe as group, it } from "vitest";
import { bytes, describe, duration } from "./describe.js";

const video = { id: "v", name: "cat.mp4", sizeBytes: "2000000", state: "VIDEO_STATE_UPLOADED" };
const encode = (state: string, more: object = {}) => ({
  ...video,
  latestEncode: { id: "e", state: `ENCODE_STATE_${state}`, ...more },
});

group("what is said of a video", () => {
  it.each([
    [
      "that arrives",
      { ...video, state: "VIDEO_STATE_UPLOADING", uploadedBytes: "500000" },
      "25 % of 2.0 MB have arrived",
    ],
    ["of which nothing has arrived", { ...video, state: "VIDEO_STATE_UPLOADING" }, "0 % of 2.0 MB have arrived"],
    ["that nobody has encoded", video, "2.0 MB, not encoded"],
    [
      "that waits",
      encode("QUEUED", { progress: { waiting: ["1 probe waits for a worker"] } }),
      "1 probe waits for a worker",
    ],
    ["that is looked into", encode("PROBING"), "Is looked into"],
    ["that has a plan", encode("PLANNED", { progress: { waiting: ["8 chunks wait"] } }), "8 chunks wait"],
    [
      "that is encoded",
      encode("ENCODING", { progress: { fraction: 0.439, remainingSeconds: 90 } }),
      "43 % encoded, 2 min left",
    ],
    ["of which nobody knows how long it takes", encode("ENCODING", { progress: { fraction: 0.01 } }), "1 % encoded"],
    ["that is checked", encode("VERIFYING", { progress: { fraction: 1 } }), "100 % encoded"],
    ["that is ready", encode("SUCCEEDED"), "2.0 MB, ready"],
    [
      "that failed",
      encode("FAILED", { error: "This file is a text file, not a video." }),
      "This file is a text file, not a video.",
    ],
    ["that was cancelled", encode("CANCELLED"), "Cancelled"],
  ])("%s", (_, given, text) => {
    expect(describe(given, undefined).text).toBe(text);
  });

  it("that this page sends comes before all else", () => {
    const given = { ...video, state: "VIDEO_STATE_UPLOADING", uploadedBytes: "1" };
    expect(describe(given, { sent: 1_000_000, waiting: false })).toMatchObject({
      text: "50 % of 2.0 MB sent",
      fraction: 0.5,
    });
    expect(describe(given, { sent: 0, waiting: true }).text).toContain("waits for the connection");
    expect(describe({ ...given, sizeBytes: "0" }, { sent: 0, waiting: false }).fraction).toBe(1);
  });
});

it("offers what can be done about it", () => {
  const offer = (given: typeof video) => describe(given, undefined).offer;
  expect(offer({ ...video, state: "VIDEO_STATE_UPLOADING" })).toBe("resume");
  expect(offer(video)).toBe("encode");
  expect(offer(encode("ENCODING"))).toBe("cancel");
  expect(offer(encode("FAILED", { retryable: true }))).toBe("retry");
  expect(offer(encode("FAILED"))).toBeUndefined();
  expect(offer(encode("SUCCEEDED"))).toBeUndefined();
});

it("leads to the stream as soon as it plays", () => {
  expect(describe(encode("ENCODING"), undefined).hls).toBeUndefined();
  expect(describe(encode("ENCODING", { playback: { hlsUrl: "early" } }), undefined).hls).toBe("early");
  expect(describe({ ...encode("ENCODING"), playback: { hlsUrl: "former" } }, undefined).hls).toBe("former");
});

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 kB"],
  [12_345_678, "12 MB"],
  [999_999_999, "1000 MB"],
  [1.5e12, "1.5 TB"],
  [3e15, "3000 TB"],
])("%d bytes are %s", (count, text) => {
  expect(bytes(count)).toBe(text);
});

it.each([
  [0.2, "1 s"],
  [59, "59 s"],
  [61, "1 min"],
  [5_399, "90 min"],
  [5_400, "1.5 h"],
])("%d seconds are %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
