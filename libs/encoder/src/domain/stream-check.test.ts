import type { EncodePlan, StreamResult, TrackResult } from "@kinora/media";
import { describe, expect, it } from "vitest";
import { filesFault, filesOf, streamFault } from "./stream-check.ts";

const rendition = (name: string, width: number, height: number) => ({
  name,
  width,
  height,
  crf: 23,
  maxBitrate: 1,
  bufferBits: 1,
  profile: "high",
  level: 31,
  preset: "veryfast",
});

const plan: EncodePlan = {
  segmentSeconds: 4,
  posterSeconds: 1,
  video: {
    streamIndex: 0,
    rotation: 0,
    deinterlace: false,
    toneMap: false,
    frameRate: { num: 24, den: 1 },
    frameCount: 120,
    startSeconds: 0,
    renditions: [rendition("720p", 1280, 720), rendition("480p", 854, 480)],
  },
  audio: { streamIndex: 1, sampleRate: 48000, channels: 2, bitrate: 128000, language: "" },
};

const track = (name: string, width: number, height: number): TrackResult => ({
  name,
  codecs: "avc1.64001f",
  timescale: 24000,
  width,
  height,
  frameRate: { num: 24, den: 1 },
  sampleRate: 0,
  channels: 0,
  language: "",
  frames: 120,
  initBytes: 700,
  start: 2000,
  segments: [
    { duration: 96000, bytes: 5000 },
    { duration: 24000, bytes: 1000 },
  ],
});

const good = (): StreamResult => ({
  video: [track("720p", 1280, 720), track("480p", 854, 480)],
  audio: {
    ...track("audio", 0, 0),
    codecs: "mp4a.40.2",
    timescale: 48000,
    sampleRate: 48000,
    channels: 2,
    frames: 235,
  },
  poster: "poster.jpg",
});

/** A good result with one thing changed. */
const spoilt = (change: (result: StreamResult & { audio: TrackResult }) => void) => {
  const result = good();
  const { audio } = result;
  if (audio === undefined) throw new Error("no audio");
  change(Object.assign(result, { audio }));
  return result;
};
const at = <T>(items: T[], index: number): T => {
  const item = items[index];
  if (item === undefined) throw new Error(`nothing at ${index}`);
  return item;
};

describe("streamFault", () => {
  it("finds nothing wrong with what was planned", () => {
    expect(streamFault(plan, good())).toBeUndefined();
    const silent = { ...good(), audio: undefined, poster: "" };
    expect(streamFault({ ...plan, audio: undefined }, silent)).toBeUndefined();
  });

  it("allows a few frames that no decoder could read, if all renditions lack them", () => {
    const result = spoilt(({ video }) => {
      for (const track of video) track.frames = 118;
    });
    expect(streamFault(plan, result)).toBeUndefined();
  });

  it("allows different timescales with the same times", () => {
    const result = spoilt(({ video }) => {
      const other = at(video, 1);
      Object.assign(other, {
        timescale: 12000,
        start: 1000,
        segments: [
          { duration: 48000, bytes: 1 },
          { duration: 12000, bytes: 1 },
        ],
      });
    });
    expect(streamFault(plan, result)).toBeUndefined();
  });

  it.each<[string, (result: StreamResult & { audio: TrackResult }) => void, RegExp]>([
    ["a missing rendition", (r) => r.video.pop(), /renditions are 720p \(1280×720\) instead of 720p/],
    ["another size", (r) => Object.assign(at(r.video, 0), { width: 1278 }), /1278×720/],
    ["another order", (r) => r.video.reverse(), /renditions are 480p/],
    ["no audio", (r) => Object.assign(r, { audio: undefined }), /audio track is missing/],
    ["another sample rate", (r) => Object.assign(r.audio, { sampleRate: 44100 }), /44100 Hz instead of/],
    ["a lost frame", (r) => Object.assign(at(r.video, 1), { frames: 119 }), /480p has 119 frames instead of 120/],
    [
      "too few frames in all",
      (r) => r.video.map((track) => Object.assign(track, { frames: 100 })),
      /720p has 100 frames instead of 120/,
    ],
    ["no segments", (r) => Object.assign(r.audio, { segments: [] }), /audio has no segments/],
    [
      "an empty segment",
      (r) => Object.assign(at(at(r.video, 0).segments, 1), { bytes: 0 }),
      /Segment 2 of 720p is empty/,
    ],
    ["no codec", (r) => Object.assign(at(r.video, 0), { codecs: "" }), /720p is incomplete/],
    ["a segment too few", (r) => at(r.video, 1).segments.pop(), /480p has 1 segments, but 720p has 2/],
    [
      "a segment elsewhere",
      (r) => Object.assign(at(at(r.video, 1).segments, 0), { duration: 95000 }),
      /Segment 2 of 480p doesn't begin/,
    ],
    ["another start", (r) => Object.assign(at(r.video, 1), { start: 0 }), /Segment 1 of 480p/],
    ["a name that is a path", (r) => Object.assign(r.audio, { name: "../audio" }), /no name for a track/],
    ["the same name twice", (r) => Object.assign(r.audio, { name: "720p" }), /same name/],
    ["a poster elsewhere", (r) => Object.assign(r, { poster: "../poster.jpg" }), /no name for a poster/],
  ])("finds %s", (_, change, fault) => {
    expect(streamFault(plan, spoilt(change))).toMatch(fault);
  });

  it("finds audio that nobody asked for", () => {
    expect(streamFault({ ...plan, audio: undefined }, good())).toMatch(/wasn't asked for/);
  });
});

describe("filesFault", () => {
  const present = () => new Map([...filesOf(good())].map(([path, bytes]) => [path, bytes ?? 1234]));

  it("lists initialisation segments, segments from 1, and the poster", () => {
    expect([...filesOf(good()).keys()]).toEqual([
      ...["720p", "480p", "audio"].flatMap((name) => [`${name}/init.mp4`, `${name}/1.m4s`, `${name}/2.m4s`]),
      "poster.jpg",
    ]);
  });

  it("accepts files of the stated lengths, and others beside them", () => {
    expect(filesFault(good(), present().set("extra", 1))).toBeUndefined();
  });

  it("finds a missing file, a cut one, and an empty poster", () => {
    const missing = present();
    missing.delete("480p/2.m4s");
    expect(filesFault(good(), missing)).toBe("480p/2.m4s was never uploaded.");
    expect(filesFault(good(), present().set("audio/1.m4s", 4999))).toBe("audio/1.m4s has 4999 bytes instead of 5000.");
    expect(filesFault(good(), present().set("poster.jpg", 0))).toBe("poster.jpg is empty.");
  });
});
