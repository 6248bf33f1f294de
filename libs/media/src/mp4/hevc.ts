import { splitAnnexB } from "./avc.ts";
import { createBitReader } from "./bit-reader.ts";
import { u8, u16, u32 } from "./box.ts";

/** HEVC as MP4 carries it (ISO/IEC 14496-15, clause 8), made from the byte stream format that x265 gives (ITU-T H.265, annex B). */

const nalType = { idrWithLeading: 19, idr: 20, vps: 32, sps: 33, pps: 34, delimiter: 35 };

/** The hvcC record (HEVCDecoderConfigurationRecord) for an encoder's parameter sets. Throws a RangeError if one is missing. */
export function hevcConfiguration(parameterSets: Buffer): Buffer {
  const units = splitAnnexB(parameterSets);
  const sets = [nalType.vps, nalType.sps, nalType.pps].map((type) => units.filter((unit) => typeOf(unit) === type));
  const [sps] = sets[1] ?? [];
  if (!sps || sets.some((set) => set.length === 0)) throw new RangeError("the encoder gave no parameter sets");
  const facts = readSps(sps);
  return Buffer.concat([
    u8(1),
    facts.profileTierLevel,
    u16(0xf000), // No restriction of spatial segments.
    u8(0xfc), // Nor a statement on parallel decoding.
    u8(0xfc | facts.chromaFormat),
    u8(0xf8 | facts.lumaDepth),
    u8(0xf8 | facts.chromaDepth),
    u16(0), // Average frame rate: not stated.
    u8((1 << 3) | (facts.isNested << 2) | 3), // One temporal layer; lengths of 4 bytes.
    u8(sets.length),
    ...sets.flatMap((set, index) => [
      u8(0x80 | (nalType.vps + index)), // All of this type are here.
      u16(set.length),
      ...set.flatMap((unit) => [u16(unit.length), unit]),
    ]),
  ]);
}

/** The codecs string (ISO/IEC 14496-15, annex E) of an hvcC record, such as `hvc1.1.6.L93.90`. */
export function hevcCodecs(configuration: Buffer): string {
  const first = configuration.readUInt8(1);
  const space = ["", "A", "B", "C"][first >> 6];
  const tier = (first >> 5) & 1 ? "H" : "L";
  let compatibility = 0;
  for (let bit = 0; bit < 32; bit++) compatibility += ((configuration.readUInt32BE(2) >>> bit) & 1) * 2 ** (31 - bit);
  const constraints = [...configuration.subarray(6, 12)];
  while (constraints.at(-1) === 0) constraints.pop();
  return [
    `hvc1.${space}${first & 0x1f}`,
    compatibility.toString(16).toUpperCase(),
    `${tier}${configuration.readUInt8(12)}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ].join(".");
}

/** A sample for MP4: NAL units behind their lengths, without those that the sample entry has or MP4 doesn't want. */
export function hevcSample(stream: Buffer): Buffer {
  const left: number[] = [nalType.vps, nalType.sps, nalType.pps, nalType.delimiter];
  const units = splitAnnexB(stream).filter((unit) => !left.includes(typeOf(unit)));
  return Buffer.concat(units.flatMap((unit) => [u32(unit.length), unit]));
}

/** Whether a sample (NAL units behind 4-byte lengths) is an IDR picture. Throws a RangeError for broken lengths. */
export function isHevcIdrSample(sample: Buffer): boolean {
  for (let at = 0; at < sample.length; ) {
    const length = sample.readUInt32BE(at);
    const unit = sample.subarray(at + 4, at + 4 + length);
    if (length === 0 || unit.length < length)
      throw new RangeError(`a NAL unit of ${length} bytes does not fit at ${at}`);
    const type = typeOf(unit);
    if (type === nalType.idr || type === nalType.idrWithLeading) return true;
    at += 4 + length;
  }
  return false;
}

/** Reads of a sequence parameter set (ITU-T H.265, 7.3.2.2) what the record repeats. */
function readSps(sps: Buffer) {
  const bytes = withoutEmulationPrevention(sps.subarray(2));
  const { bits, exponential } = createBitReader(bytes);
  bits(4);
  if (bits(3) !== 0) throw new RangeError("temporal layers are not expected");
  const isNested = bits(1);
  const profileTierLevel = bytes.subarray(1, 13);
  for (let byte = 0; byte < 12; byte++) bits(8);
  exponential();
  const chromaFormat = exponential();
  if (chromaFormat === 3) bits(1);
  exponential();
  exponential();
  if (bits(1)) for (let side = 0; side < 4; side++) exponential();
  return { isNested, profileTierLevel, chromaFormat, lumaDepth: exponential(), chromaDepth: exponential() };
}

/** Takes out the 3 of each 0 0 3 (ITU-T H.265, 7.3.1.1). */
function withoutEmulationPrevention(unit: Buffer): Buffer {
  return Buffer.from(unit.filter((byte, at) => !(byte === 3 && unit[at - 1] === 0 && unit[at - 2] === 0 && at >= 2)));
}

function typeOf(unit: Buffer): number {
  return ((unit[0] ?? 0) >> 1) & 0x3f;
}
