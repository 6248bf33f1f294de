import fc from "fast-check";
import { expect, it } from "vitest";
import { findBox, readBoxes } from "./box.ts";
import { aacCodecs, initSegment } from "./init-segment.ts";
import { mediaSegment, readMediaSegment, type Sample } from "./media-segment.ts";

const sample = (changes: Partial<Sample> = {}): Sample => ({
  data: Buffer.from("abcd"),
  duration: 1024,
  compositionOffset: 0,
  sync: true,
  ...changes,
});

it("writes what it reads", () => {
  const samples = fc.array(
    fc.record({
      data: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      duration: fc.integer({ min: 1, max: 0xffffffff }),
      compositionOffset: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
      sync: fc.boolean(),
    }),
    { minLength: 1, maxLength: 20 },
  );
  const number = fc.integer({ min: 1, max: 0xffffffff });
  fc.assert(
    fc.property(number, fc.maxSafeNat(), samples, (number, decodeTime, samples) => {
      const segment = { number, decodeTime, samples };
      expect(readMediaSegment(mediaSegment(segment))).toEqual(segment);
    }),
  );
});

it("says once what all samples share", () => {
  const plain = mediaSegment({ number: 1, decodeTime: 0, samples: [sample(), sample()] });
  const mixed = mediaSegment({
    number: 1,
    decodeTime: 0,
    samples: [sample(), sample({ duration: 1000, sync: false })],
  });
  expect(mixed.length - plain.length).toBe(2 * 8 - 4);
  expect(readMediaSegment(plain).samples).toEqual([sample(), sample()]);
});

it("refuses to read what is cut or too long", () => {
  const segment = mediaSegment({ number: 1, decodeTime: 0, samples: [sample(), sample()] });
  for (let length = 0; length < segment.length; length++) {
    expect(() => readMediaSegment(segment.subarray(0, length))).toThrow(RangeError);
  }
  expect(() => readMediaSegment(Buffer.concat([segment, Buffer.from([0, 0, 0, 9, 0, 0, 0, 0, 0])]))).toThrow(
    RangeError,
  );
});

it("begins a segment with the brand of CMAF segments", () => {
  const segment = mediaSegment({ number: 7, decodeTime: 2 ** 40, samples: [sample()] });
  expect(readBoxes(segment).map((found) => found.type)).toEqual(["styp", "moof", "mdat"]);
  expect(findBox(segment, "styp").toString("latin1")).toContain("cmfs");
});

it("describes video with its size, and no edit list where nothing is skipped", () => {
  const configuration = Buffer.from("0164001f", "hex");
  const init = initSegment({
    kind: "video",
    codec: "h264",
    timescale: 24_000,
    width: 1280,
    height: 720,
    configuration,
    skip: 0,
  });
  const entry = findBox(init, "moov/trak/mdia/minf/stbl/stsd").subarray(8);
  const avc1 = findBox(entry, "avc1");
  expect([avc1.readUInt16BE(24), avc1.readUInt16BE(26)]).toEqual([1280, 720]);
  expect(findBox(avc1.subarray(78), "avcC")).toEqual(configuration);
  expect(findBox(init, "moov/trak/mdia/mdhd").readUInt32BE(12)).toBe(24_000);
  expect(() => findBox(init, "moov/trak/edts")).toThrow(RangeError);
});

it("describes audio with its configuration, its language and an edit that skips the samples before the first real one", () => {
  const configuration = Buffer.from("1190", "hex");
  const track = { kind: "audio", timescale: 48_000, channels: 2, bitrate: 128_000, configuration } as const;
  const init = initSegment({ ...track, language: "deu", skip: 1024 });
  expect(findBox(init, "moov/trak/edts/elst").toString("hex")).toBe("000000000000000100000000000004000" + "0010000");
  expect(findBox(init, "moov/trak/mdia/mdhd").readUInt16BE(20)).toBe((4 << 10) | (5 << 5) | 21);
  const mp4a = findBox(findBox(init, "moov/trak/mdia/minf/stbl/stsd").subarray(8), "mp4a");
  expect(findBox(mp4a.subarray(28), "esds").includes(configuration)).toBe(true);
  expect(aacCodecs(configuration)).toBe("mp4a.40.2");
});
