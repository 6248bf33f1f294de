/** Kinds of frames (RFC 9113, section 6). */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags of frames. Those of different kinds of frames share bits. */
export const frameFlag = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** Bytes in front of each frame's payload: its length (3), type, flags, stream (4). */
export const frameHeadBytes = 9;

/** The largest payload that we take, and that we send: what every peer must take. */
export const maxPayloadBytes = 16_384;

/** The first bytes of a client (RFC 9113, section 3.4). */
export const clientPreface: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Writes what comes in front of a frame's payload, and returns where that goes. */
export function writeFrameHead(
  into: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  into[at] = length >>> 16;
  into[at + 1] = length >>> 8;
  into[at + 2] = length;
  into[at + 3] = type;
  into[at + 4] = flags;
  return writeUint32(into, at + 5, stream);
}

/** Writes 32 bits, the highest first, and returns where the next ones go. */
export function writeUint32(into: Buffer, at: number, value: number): number {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
  return at + 4;
}

/** Reads the 31 bits of a stream's number or a window's increment; the highest bit means nothing. */
export function readUint31(from: Buffer, at: number): number {
  return from.readUInt32BE(at) & 0x7fffffff;
}
