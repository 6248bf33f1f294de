/** Boxes of the ISO base media file format (ISO/IEC 14496-12): writing and reading them. */

/** A box: its length, its type and its content. */
export function box(type: string, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([u32(8 + body.length), Buffer.from(type, "latin1"), body]);
}

/** A box with a version and flags in front of its content. */
export function fullBox(type: string, version: number, flags: number, ...content: Uint8Array[]): Buffer {
  return box(type, u32(((version << 24) | flags) >>> 0), ...content);
}

export const u8 = (value: number): Buffer => Buffer.from([value]);

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function u32s(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}

export function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

export const zeros = (count: number): Buffer => Buffer.alloc(count);

/** A box that was read: its type and its content. */
export type ReadBox = { type: string; content: Buffer };

/** The boxes in a row of bytes. Throws a RangeError where a length doesn't fit. */
export function readBoxes(bytes: Buffer): ReadBox[] {
  const boxes: ReadBox[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    if (length < 8 || at + length > bytes.length)
      throw new RangeError(`a box of ${length} bytes does not fit at ${at}`);
    boxes.push({ type: bytes.toString("latin1", at + 4, at + 8), content: bytes.subarray(at + 8, at + length) });
    at += length;
  }
  return boxes;
}

/** The content of the box at a path such as `moof/traf/tfdt`; throws if there is none. */
export function findBox(bytes: Buffer, path: string): Buffer {
  let content = bytes;
  for (const type of path.split("/")) {
    const found = readBoxes(content).find((candidate) => candidate.type === type);
    if (!found) throw new RangeError(`no box ${type} of ${path}`);
    content = found.content;
  }
  return content;
}
