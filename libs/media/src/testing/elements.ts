/** Changes Matroska files element by element (RFC 8794), for tests. */

/** An element; its id is given in hexadecimal, as specifications do. */
export function element(id: string, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from(id, "hex"), length(body.length), body]);
}

/** An element that doesn't say how long it is. */
export function endless(id: string, ...content: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(id, "hex"), Buffer.from("01ffffffffffffff", "hex"), ...content]);
}

/** A length in eight bytes. */
function length(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value) | (1n << 56n));
  return bytes;
}

export const unsigned = (value: number | bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};

/** The elements in a stretch of bytes: their id, and their content. */
export function elementsOf(bytes: Buffer): { id: string; content: Buffer }[] {
  const found: { id: string; content: Buffer }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const idLength = Math.clz32(bytes[at] ?? 0) - 23;
    const id = bytes.toString("hex", at, at + idLength);
    at += idLength;
    const sizeLength = Math.clz32(bytes[at] ?? 0) - 23;
    let size = BigInt(`0x${bytes.toString("hex", at, at + sizeLength)}`);
    size &= (1n << BigInt(7 * sizeLength)) - 1n;
    at += sizeLength;
    found.push({ id, content: bytes.subarray(at, at + Number(size)) });
    at += Number(size);
  }
  return found;
}

export const ids = {
  ebml: "1a45dfa3",
  segment: "18538067",
  info: "1549a966",
  tracks: "1654ae6b",
  track: "ae",
  cluster: "1f43b675",
  attachments: "1941a469",
  chapters: "1043a770",
  tags: "1254c367",
} as const;

/** The file with its segment's elements replaced. What tells places in the file (seek head, cues) is left out: they wouldn't be right any more. */
export function editSegment(
  bytes: Buffer,
  change: (elements: { id: string; content: Buffer }[]) => Buffer[],
  wrap: (id: string, ...content: Buffer[]) => Buffer = element,
): Buffer {
  const [head, segment] = elementsOf(bytes);
  if (head?.id !== ids.ebml || segment?.id !== ids.segment) throw new RangeError("no Matroska file");
  const placeless = elementsOf(segment.content).filter(({ id }) => !["114d9b74", "1c53bb6b", "ec"].includes(id));
  return Buffer.concat([element(ids.ebml, head.content), wrap(ids.segment, ...change(placeless))]);
}
