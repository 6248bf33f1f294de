import { createBitReader } from "./bit-reader.ts";
import { u8 } from "./box.ts";

/** AV1 as MP4 carries it ("AV1 Codec ISO Media File Format Binding"), made from the temporal units that SVT-AV1 gives. */

const obuType = { sequenceHeader: 1, temporalDelimiter: 2, frame: 6, frameHeader: 3 };

/** The av1C record (AV1CodecConfigurationRecord) for a stream of 8 bits and 4:2:0, from its first key frame. Throws a RangeError if that has no sequence header. */
export function av1Configuration(keyFrame: Buffer): Buffer {
  const header = splitObus(keyFrame).find((obu) => obu.type === obuType.sequenceHeader);
  if (!header) throw new RangeError("the encoder gave no sequence header");
  const { profile, level, tier } = readSequenceHeader(header.payload);
  const subsampled = 0b1100;
  return Buffer.concat([u8(0x81), u8((profile << 5) | level), u8((tier << 7) | subsampled), u8(0), header.bytes]);
}

/** The codecs string (the binding's section 5) of an av1C record, such as `av01.0.04M.08`. */
export function av1Codecs(configuration: Buffer): string {
  const second = configuration.readUInt8(1);
  const tier = configuration.readUInt8(2) >> 7 ? "H" : "M";
  return `av01.${second >> 5}.${String(second & 0x1f).padStart(2, "0")}${tier}.08`;
}

/** A sample for MP4: a temporal unit without its delimiter. */
export function av1Sample(unit: Buffer): Buffer {
  return Buffer.concat(splitObus(unit).flatMap((obu) => (obu.type === obuType.temporalDelimiter ? [] : [obu.bytes])));
}

/** Whether decoding can start with a sample: it has a sequence header, and its first frame is a shown key frame. */
export function isAv1KeySample(sample: Buffer): boolean {
  const obus = splitObus(sample);
  const frame = obus.find(({ type }) => type === obuType.frame || type === obuType.frameHeader);
  const first = frame?.payload[0] ?? 0xff;
  // show_existing_frame = 0, frame_type = KEY_FRAME (0), show_frame = 1
  return obus.some(({ type }) => type === obuType.sequenceHeader) && first >> 4 === 0b0001;
}

type Obu = { type: number; bytes: Buffer; payload: Buffer };

/** The open bitstream units of a temporal unit (AV1 specification, 5.3). Throws a RangeError where one doesn't fit. */
function splitObus(unit: Buffer): Obu[] {
  const obus: Obu[] = [];
  for (let at = 0; at < unit.length; ) {
    const header = unit.readUInt8(at);
    if ((header & 2) === 0) throw new RangeError("a unit without its length");
    let end = at + 1 + ((header >> 2) & 1);
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = unit.readUInt8(end++);
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
      if (shift > 42) throw new RangeError("a unit's length is too long");
    }
    const bytes = unit.subarray(at, end + length);
    const payload = unit.subarray(end, end + length);
    if (payload.length < length) throw new RangeError(`a unit of ${length} bytes does not fit at ${at}`);
    obus.push({ type: (header >> 3) & 0xf, bytes, payload });
    at = end + length;
  }
  return obus;
}

/** Reads of a sequence header (AV1 specification, 5.5.1) what the record repeats. */
function readSequenceHeader(payload: Buffer): { profile: number; level: number; tier: number } {
  const { bits, exponential } = createBitReader(payload);
  const profile = bits(3);
  bits(1);
  if (bits(1)) return { profile, level: bits(5), tier: 0 };
  if (bits(1)) {
    bits(32);
    bits(32);
    if (bits(1)) exponential();
    if (bits(1)) throw new RangeError("a decoder model is not expected");
  }
  bits(1);
  bits(5);
  bits(12);
  const level = bits(5);
  return { profile, level, tier: level > 7 ? bits(1) : 0 };
}
