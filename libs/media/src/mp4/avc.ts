import { u8, u16, u32 } from "./box.ts";

/** H.264 as MP4 carries it (ISO/IEC 14496-15), made from the byte stream format that x264 gives (ITU-T H.264, annex B). */

const nalType = { idr: 5, sps: 7, pps: 8, delimiter: 9 };

const startCode = Buffer.from([0, 0, 1]);

/** The NAL units of a byte stream, without their start codes. */
export function splitAnnexB(stream: Buffer): Buffer[] {
  const units: Buffer[] = [];
  let start = stream.indexOf(startCode);
  while (start >= 0) {
    const from = start + 3;
    const next = stream.indexOf(startCode, from);
    let to = next < 0 ? stream.length : next;
    // Zeros before a start code belong to it; a NAL unit never ends with one.
    while (to > from && stream[to - 1] === 0) to--;
    if (to > from) units.push(stream.subarray(from, to));
    start = next;
  }
  return units;
}

/** The avcC record (AVCDecoderConfigurationRecord) for an encoder's parameter sets. Throws a RangeError without an SPS and a PPS. */
export function avcConfiguration(parameterSets: Buffer): Buffer {
  const units = splitAnnexB(parameterSets);
  const sps = units.filter((unit) => typeOf(unit) === nalType.sps);
  const pps = units.filter((unit) => typeOf(unit) === nalType.pps);
  const [first] = sps;
  if (!first || first.length < 4 || pps.length === 0) throw new RangeError("the encoder gave no parameter sets");
  const profile = first.subarray(1, 4);
  const withLength = (unit: Buffer) => [u16(unit.length), unit];
  return Buffer.concat([
    u8(1),
    profile,
    u8(0xff), // Lengths of 4 bytes.
    u8(0xe0 | sps.length),
    ...sps.flatMap(withLength),
    u8(pps.length),
    ...pps.flatMap(withLength),
    // 4:2:0 with 8 bits and no SPS extension: fields that the High profiles have.
    ...((first[1] ?? 0) >= 100 ? [Buffer.from([0xfd, 0xf8, 0xf8, 0])] : []),
  ]);
}

/** The codecs string (RFC 6381) of an avcC record, such as `avc1.64001f`. */
export function avcCodecs(configuration: Buffer): string {
  return `avc1.${configuration.toString("hex", 1, 4)}`;
}

/** A sample for MP4: NAL units behind their lengths, without those that the sample entry has or MP4 doesn't want. */
export function avcSample(stream: Buffer): Buffer {
  const units = splitAnnexB(stream).filter((unit) => {
    const type = typeOf(unit);
    return type !== nalType.sps && type !== nalType.pps && type !== nalType.delimiter;
  });
  return Buffer.concat(units.flatMap((unit) => [u32(unit.length), unit]));
}

/** Whether a sample (NAL units behind 4-byte lengths) is an IDR picture. Throws a RangeError for broken lengths. */
export function isIdrSample(sample: Buffer): boolean {
  for (let at = 0; at < sample.length; ) {
    const length = sample.readUInt32BE(at);
    const unit = sample.subarray(at + 4, at + 4 + length);
    if (length === 0 || unit.length < length)
      throw new RangeError(`a NAL unit of ${length} bytes does not fit at ${at}`);
    if (typeOf(unit) === nalType.idr) return true;
    at += 4 + length;
  }
  return false;
}

function typeOf(unit: Buffer): number {
  return (unit[0] ?? 0) & 0x1f;
}
