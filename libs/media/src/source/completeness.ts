import type { ByteSource } from "./byte-source.ts";

/**
 * Whether a file's own structure says that its end is missing: a box, segment, chunk, page or packet that reaches beyond the last byte. False
 * where the format has nothing to tell by. `format` is FFmpeg's name of the container.
 */
export async function isCut(format: string, source: ByteSource): Promise<boolean> {
  const name = format.split(",")[0] ?? "";
  return (await checks[name]?.(source)) ?? false;
}

const checks: Record<string, (source: ByteSource) => Promise<boolean>> = {
  mov: isMp4Cut,
  matroska: isMatroskaCut,
  avi: isAviCut,
  mpegts: isTransportStreamCut,
  ogg: isOggCut,
  asf: isAsfCut,
  flv: isFlvCut,
};

/** Every byte asked for, or undefined if the file has fewer. */
async function readExactly(source: ByteSource, position: number, length: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let missing = length;
  while (missing > 0) {
    const part = position < 0 ? Buffer.alloc(0) : await source.read(position + length - missing, missing);
    if (part.length === 0) return undefined;
    parts.push(part);
    missing -= part.length;
  }
  return Buffer.concat(parts);
}

/** Walks the top-level boxes (ISO/IEC 14496-12, 4.2). Bounded, since a fragmented file has thousands. */
async function isMp4Cut(source: ByteSource): Promise<boolean> {
  let at = 0;
  for (let count = 0; count < 100_000; count++) {
    const header = await readExactly(source, at, 8);
    if (!header) return false;
    const type = header.toString("latin1", 4, 8);
    let length = header.readUInt32BE(0);
    if (length === 1) length = Number((await readExactly(source, at + 8, 8))?.readBigUInt64BE(0) ?? 0n);
    // 0 stands for "to the end of the file"; other lengths below a header's are no box but rubbish behind the last one.
    if (length < 8) return false;
    if (at + length > source.size) return ["mdat", "moov", "moof"].includes(type);
    at += length;
  }
  return false;
}

/** Compares the segment's length (RFC 8794, RFC 9559) with the file's. Live recordings have no such length. */
async function isMatroskaCut(source: ByteSource): Promise<boolean> {
  const head = await readExactly(source, 0, Math.min(source.size, 4096));
  if (!head) return false;
  let at = 0;
  for (const id of ["1a45dfa3", "18538067"]) {
    if (head.toString("hex", at, at + 4) !== id) return false;
    const size = variableSize(head, at + 4);
    if (!size) return false;
    at += 4 + size.bytes;
    if (id === "18538067") return at + size.value > source.size;
    at += size.value;
  }
  return false;
}

/** An EBML length; undefined if it is unknown (all ones) or not there. */
function variableSize(bytes: Buffer, at: number): { value: number; bytes: number } | undefined {
  const first = bytes[at];
  if (first === undefined || first === 0) return undefined;
  const count = Math.clz32(first) - 23;
  if (at + count > bytes.length) return undefined;
  const value = BigInt(`0x${bytes.toString("hex", at, at + count)}`) & ((1n << BigInt(7 * count)) - 1n);
  return value === (1n << BigInt(7 * count)) - 1n ? undefined : { value: Number(value), bytes: count };
}

/** Walks the RIFF chunks: one, or more in files above 1 GB (OpenDML). */
async function isAviCut(source: ByteSource): Promise<boolean> {
  let at = 0;
  for (let count = 0; count < 10_000; count++) {
    const header = await readExactly(source, at, 8);
    if (header?.toString("latin1", 0, 4) !== "RIFF") return false;
    const length = header.readUInt32LE(4);
    if (length === 0) return false;
    if (at + 8 + length > source.size) return true;
    at += 8 + length + (length % 2);
  }
  return false;
}

/** A transport stream consists of packets of one size; 4 or 16 bytes more where recorders add times or parity. */
async function isTransportStreamCut(source: ByteSource): Promise<boolean> {
  const head = await readExactly(source, 0, Math.min(source.size, 204 * 4));
  if (!head) return false;
  const sync = 0x47;
  const size = [188, 192, 204].find((packet) => {
    const offset = packet === 192 ? 4 : 0;
    return [0, 1, 2].every((index) => head[index * packet + offset] === sync);
  });
  return size !== undefined && source.size % size !== 0;
}

/** Looks for the last page (RFC 3533, section 6) and whether it is whole. */
async function isOggCut(source: ByteSource): Promise<boolean> {
  const longestPage = 27 + 255 + 255 * 255;
  const length = Math.min(source.size, longestPage + 27);
  const tail = await readExactly(source, source.size - length, length);
  const at = tail?.lastIndexOf("OggS") ?? -1;
  if (!tail || at < 0) return false;
  const page = tail.subarray(at);
  const segments = page[26];
  if (segments === undefined || page.length < 27 + segments) return true;
  const body = page.subarray(27, 27 + segments).reduce((sum, lacing) => sum + lacing, 0);
  return page.length < 27 + segments + body;
}

/** Compares the length in the file properties object (ASF specification, 3.2) with the file's; not for broadcasts. */
async function isAsfCut(source: ByteSource): Promise<boolean> {
  const head = await readExactly(source, 0, Math.min(source.size, 64 * 1024));
  const id = Buffer.from("a1dcab8c47a9cf118ee400c00c205365", "hex");
  const at = head?.indexOf(id) ?? -1;
  if (!head || at < 0 || head.length < at + 92) return false;
  const isBroadcast = (head.readUInt32LE(at + 88) & 1) === 1;
  return !isBroadcast && Number(head.readBigUInt64LE(at + 40)) > source.size;
}

/** A whole file ends with the length of its last tag (FLV specification, E.3). */
async function isFlvCut(source: ByteSource): Promise<boolean> {
  const length = (await readExactly(source, source.size - 4, 4))?.readUInt32BE(0);
  if (length === undefined) return false;
  const tag = await readExactly(source, source.size - 4 - length, 4);
  return !tag || ![8, 9, 18].includes((tag[0] ?? 0) & 0x1f) || tag.readUIntBE(1, 3) + 11 !== length;
}
