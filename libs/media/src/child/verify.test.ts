import { describe, expect, it } from "vitest";
import type { EncodePlan, TrackResult } from "../types.ts";
import { verify } from "./verify.ts";

const track = (name: string, changes: Partial<TrackResult> = {}): TrackResult => ({
  name,
  codecs: "avc1.64001f",
  timescale: 1000,
  width: 320,
  height: 180,
  sampleRate: 0,
  channels: 0,
  language: "",
  frames: 200,
  initBytes: 700,
  segments: [
    { duration: 4000, bytes: 1 },
    { duration: 4000, bytes: 1 },
  ],
  start: 0,
  ...changes,
});
const plan = { segmentSeconds: 4, posterSeconds: 0, video: { frameCount: 200 } } as EncodePlan;
const pictures = {
  tracks: [track("720p"), track("360p")],
  segmentStarts: [
    [0, 4000],
    [0, 4000],
  ],
  frames: 200,
  decodeErrors: 0,
};
const sound = {
  track: track("audio", { timescale: 48_000, segments: [{ duration: 385_024, bytes: 1 }] }),
  sourceEnd: 8,
};

describe("verify", () => {
  it("lets a good stream pass", () => {
    expect(verify({ plan, pictures, sound })).toBeUndefined();
    expect(verify({ plan, pictures, sound: undefined })).toBeUndefined();
  });

  it("takes the decoder's count where a few pictures could not be decoded", () => {
    const fewer = { ...pictures, frames: 190, tracks: pictures.tracks.map((one) => ({ ...one, frames: 190 })) };
    expect(verify({ plan, pictures: fewer, sound })).toBeUndefined();
  });

  it.each([
    [
      "a source of which much can't be decoded",
      { pictures: { ...pictures, frames: 100 } },
      "input",
      /Only 100 of the video's 200 pictures/,
    ],
    [
      "a rendition that lacks a picture",
      { pictures: { ...pictures, tracks: [track("720p"), track("360p", { frames: 199 })] } },
      "machine",
      /360p has 199 pictures of 200/,
    ],
    [
      "segments that start apart",
      {
        pictures: {
          ...pictures,
          segmentStarts: [
            [0, 4000],
            [0, 4040],
          ],
        },
      },
      "machine",
      /different times/,
    ],
    [
      "renditions of different lengths",
      {
        pictures: { ...pictures, tracks: [track("720p"), track("360p", { segments: [{ duration: 7960, bytes: 1 }] })] },
      },
      "machine",
      /not as long/,
    ],
    [
      "sound that is cut",
      { sound: { ...sound, sourceEnd: 9 } },
      "machine",
      /the sound lasts 8.021 s instead of 9.000 s/,
    ],
    ["no rendition at all", { pictures: { ...pictures, tracks: [] } }, "machine", /no rendition/],
  ])("refuses %s", (_, changes, kind, message) => {
    const fault = verify({ plan, pictures, sound, ...changes });
    expect(fault).toMatchObject({ kind });
    expect(fault?.message).toMatch(message);
  });
});
