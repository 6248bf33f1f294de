/** Changes MP4 files box by box (ISO/IEC 14496-12, 4.2), for tests. */

/** A box. */
export function box(type: string, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, "latin1"), body]);
}

export const u16 = (...values: number[]) => numbers(values, 2);
export const u32 = (...values: number[]) => numbers(values, 4);
export const u64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value));
  return bytes;
};

function numbers(values: number[], length: 2 | 4): Buffer {
  const bytes = Buffer.alloc(values.length * length);
  const most = 2 ** (length * 8);
  for (const [index, value] of values.entries()) bytes.writeUIntBE((value + most) % most, index * length, length);
  return bytes;
}

/** The boxes in a stretch of bytes: their type, and themselves with their header. */
export function boxesOf(bytes: Buffer): { type: string; bytes: Buffer }[] {
  const found: { type: string; bytes: Buffer }[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    found.push({ type: bytes.toString("latin1", at + 4, at + 8), bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}

/**
 * The file with the content of the first box on this way replaced, such as `moov/trak/mdia/mdhd`; lengths above it follow. Places of samples stay right where the index comes last.
 * `mdia[1]` is the second one.
 */
export function editBox(bytes: Buffer, way: string, change: (content: Buffer) => Buffer): Buffer {
  const [first = "", ...rest] = way.split("/");
  const [, type = "", number = "0"] = /^(....)(?:\[(\d+)\])?$/.exec(first) ?? [];
  let left = Number(number);
  let isFound = false;
  const changed = boxesOf(bytes).map((one) => {
    if (one.type !== type || left-- !== 0) return one.bytes;
    isFound = true;
    const content = one.bytes.subarray(8);
    return box(type, rest.length > 0 ? editBox(content, rest.join("/"), change) : change(content));
  });
  if (!isFound) throw new RangeError(`no box ${first}`);
  return Buffer.concat(changed);
}

/** The way to a sample table's box of the first track. */
export const inTable = (type: string) => `moov/trak/mdia/minf/stbl/${type}`;

/** A full box's version and flags. */
export const full = u32(0);
