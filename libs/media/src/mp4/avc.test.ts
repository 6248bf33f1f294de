import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { avcCodecs, avcConfiguration, avcSample, isIdrSample, splitAnnexB } from "./avc.ts";

const sps = Buffer.from("6764001facd9405005bb01", "hex");
const pps = Buffer.from("68ebecb22c", "hex");
const idr = Buffer.from("65888400", "hex").subarray(0, 3);
const other = Buffer.from("419a24", "hex");
const short = Buffer.from([0, 0, 1]);
const long = Buffer.from([0, 0, 0, 1]);

describe("splitAnnexB", () => {
  it("finds NAL units behind short and long start codes", () => {
    expect(splitAnnexB(Buffer.concat([long, sps, short, pps, long, idr]))).toEqual([sps, pps, idr]);
  });

  it("gives back any NAL units that were joined", () => {
    // Emulation prevention keeps 00 00 01 out of NAL units, and their last byte is never 0.
    const unit = fc
      .uint8Array({ minLength: 1, maxLength: 60 })
      .map((bytes) => Buffer.from(bytes.map((byte) => byte | 1)));
    fc.assert(
      fc.property(fc.array(fc.tuple(unit, fc.boolean()), { maxLength: 10 }), (units) => {
        const stream = Buffer.concat(units.flatMap(([bytes, isLong]) => [isLong ? long : short, bytes]));
        expect(splitAnnexB(stream)).toEqual(units.map(([bytes]) => bytes));
      }),
    );
  });
});

it("makes an avcC record of parameter sets", () => {
  const record = avcConfiguration(Buffer.concat([long, sps, long, pps, short, Buffer.from("0605ff80", "hex")]));
  expect(record.toString("hex")).toBe(`0164001fffe1000b${sps.toString("hex")}010005${pps.toString("hex")}fdf8f800`);
  expect(avcCodecs(record)).toBe("avc1.64001f");
});

it("makes no record without parameter sets", () => {
  expect(() => avcConfiguration(Buffer.concat([long, sps]))).toThrow(RangeError);
});

it("makes samples of NAL units behind lengths, and knows IDR pictures", () => {
  const key = avcSample(Buffer.concat([long, Buffer.from("09f0", "hex"), long, sps, long, pps, short, idr]));
  expect(key.toString("hex")).toBe("00000003658884");
  expect(isIdrSample(key)).toBe(true);
  expect(isIdrSample(avcSample(Buffer.concat([long, other])))).toBe(false);
  expect(() => isIdrSample(Buffer.from("0000000941", "hex"))).toThrow(RangeError);
});
