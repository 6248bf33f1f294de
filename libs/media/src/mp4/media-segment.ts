import { box, findBox, fullBox, readBoxes, u32, u32s, u64 } from "./box.ts";
import { trackId } from "./init-segment.ts";

/** A sample as a segment holds it: a coded picture or an AAC frame, in decoding order. Times in the track's timescale. */
export type Sample = {
  data: Uint8Array;
  duration: number;
  /** Presentation time minus decode time, before the edit list. */
  compositionOffset: number;
  /** Whether decoding can start here. */
  sync: boolean;
};

/** Sample flags of ISO/IEC 14496-12, 8.8.3.1: depends on no other sample; depends on others and is no sync sample. */
const syncFlags = 0x02000000;
const otherFlags = 0x01010000;

const run = { dataOffset: 0x1, duration: 0x100, size: 0x200, flags: 0x400, compositionOffset: 0x800 };
const fragment = { defaultDuration: 0x8, defaultFlags: 0x20, baseIsMoof: 0x20000 };

/**
 * Writes a CMAF segment of one fragment (ISO/IEC 23000-19). `number` counts segments from 1; `decodeTime` is that of the first sample (`tfdt`).
 */
export function mediaSegment(segment: { number: number; decodeTime: number; samples: Sample[] }): Buffer {
  const { samples } = segment;
  const [first] = samples;
  const sameDuration = samples.every((sample) => sample.duration === first?.duration);
  const allSync = samples.every((sample) => sample.sync);
  const ordered = samples.every((sample) => sample.compositionOffset === 0);
  const runFlags =
    run.dataOffset |
    run.size |
    (sameDuration ? 0 : run.duration) |
    (allSync ? 0 : run.flags) |
    (ordered ? 0 : run.compositionOffset);
  const table = u32s(
    samples.flatMap((sample) => [
      ...(sameDuration ? [] : [sample.duration]),
      sample.data.length,
      ...(allSync ? [] : [sample.sync ? syncFlags : otherFlags]),
      ...(ordered ? [] : [sample.compositionOffset >>> 0]),
    ]),
  );
  const moof = (dataOffset: number) =>
    box(
      "moof",
      fullBox("mfhd", 0, 0, u32(segment.number)),
      box(
        "traf",
        fullBox(
          "tfhd",
          0,
          fragment.baseIsMoof | fragment.defaultFlags | (sameDuration ? fragment.defaultDuration : 0),
          u32(trackId),
          ...(sameDuration ? [u32(first?.duration ?? 0)] : []),
          u32(allSync ? syncFlags : otherFlags),
        ),
        fullBox("tfdt", 1, 0, u64(segment.decodeTime)),
        fullBox("trun", 1, runFlags, u32(samples.length), u32(dataOffset), table),
      ),
    );
  const header = 8;
  return Buffer.concat([
    box("styp", Buffer.from("msdh\0\0\0\0msdhcmfs", "latin1")),
    moof(moof(0).length + header),
    box("mdat", ...samples.map((sample) => sample.data)),
  ]);
}

/** Bytes from a segment's beginning to the end of its first sample: what an I-frame playlist points to. */
export function firstSampleEnd(segment: Buffer, first: Pick<Sample, "data">): number {
  return startOf(segment, "mdat") + 8 + first.data.length;
}

/** What a segment's head says: its samples with their lengths, and where in the file their data begins. */
export type SegmentHead = {
  number: number;
  decodeTime: number;
  samples: (Omit<Sample, "data"> & { size: number })[];
  dataStart: number;
};

/** Reads the head of a segment as `mediaSegment` writes it: of its bytes, those up to the end of the box moof must be there. Throws a RangeError where it isn't one. */
export function readSegmentHead(bytes: Buffer): SegmentHead {
  const start = startOf(bytes, "moof");
  const moof = bytes.subarray(start, start + bytes.readUInt32BE(start));
  const number = findBox(moof, "moof/mfhd").readUInt32BE(4);
  const header = findBox(moof, "moof/traf/tfhd");
  const headerFlags = header.readUInt32BE(0) & 0xffffff;
  const duration = headerFlags & fragment.defaultDuration ? header.readUInt32BE(8) : 0;
  const flags = header.readUInt32BE(headerFlags & fragment.defaultDuration ? 12 : 8);
  const decodeTime = Number(findBox(moof, "moof/traf/tfdt").readBigUInt64BE(4));
  const trun = findBox(moof, "moof/traf/trun");
  const runFlags = trun.readUInt32BE(0) & 0xffffff;
  let at = 12;
  const next = (flag: number, otherwise: number, signed = false): number => {
    if ((runFlags & flag) === 0) return otherwise;
    at += 4;
    return signed ? trun.readInt32BE(at - 4) : trun.readUInt32BE(at - 4);
  };
  const samples = Array.from({ length: trun.readUInt32BE(4) }, () => {
    const length = next(run.duration, duration);
    const size = next(run.size, 0);
    const sync = next(run.flags, flags) === syncFlags;
    return { duration: length, size, sync, compositionOffset: next(run.compositionOffset, 0, true) };
  });
  // The run's data begins `dataOffset` bytes after the start of the moof box.
  return { number, decodeTime, samples, dataStart: start + trun.readInt32BE(8) };
}

/** Reads a segment as `mediaSegment` writes it. Throws a RangeError where it isn't one. */
export function readMediaSegment(bytes: Buffer): { number: number; decodeTime: number; samples: Sample[] } {
  const { number, decodeTime, samples: heads, dataStart } = readSegmentHead(bytes);
  readBoxes(bytes);
  let data = dataStart;
  const samples = heads.map(({ size, duration, compositionOffset, sync }) => {
    const sample = { data: bytes.subarray(data, data + size), duration, compositionOffset, sync };
    if (sample.data.length < size) throw new RangeError(`a sample of ${size} bytes does not fit`);
    data += size;
    return sample;
  });
  if (data !== bytes.length) throw new RangeError(`${bytes.length - data} bytes belong to no sample`);
  return { number, decodeTime, samples };
}

/** Where a box begins; the boxes before it must be whole. */
function startOf(bytes: Buffer, type: string): number {
  for (let at = 0; at + 8 <= bytes.length; ) {
    if (bytes.toString("latin1", at + 4, at + 8) === type) return at;
    const length = bytes.readUInt32BE(at);
    if (length < 8) break;
    at += length;
  }
  throw new RangeError(`no box ${type}`);
}
