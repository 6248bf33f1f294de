/** A frame of HTTP/2 as it is on the wire: RFC 9113, section 4.1. */
export type Frame = { type: number; flags: number; stream: number; payload: Buffer };

/** RFC 9113, section 6. */
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
};

export const flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 };

/** What a client sends first. */
export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

const headBytes = 9;

/** A frame's bytes. `length` is what the frame says of its length, if not the truth. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
  length = payload.length,
): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUIntBE(length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Header fields without compression: HPACK literals that nobody remembers (RFC 7541, section 6.2.2). */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([integer(bytes.length), bytes]);
}

/** An integer with a prefix of 7 bits: RFC 7541, section 5.1. */
function integer(value: number): Buffer {
  if (value < 127) {
    return Buffer.from([value]);
  }
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) + 128);
  }
  return Buffer.from([...bytes, rest]);
}

/** What `value` is as 4 bytes, such as the payload of WINDOW_UPDATE and RST_STREAM. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The payload of SETTINGS: RFC 9113, section 6.5.1. */
export function settings(...entries: readonly (readonly [id: number, value: number])[]): Buffer {
  return Buffer.concat(entries.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id & 255]), uint32(value)])));
}

/** The whole frames at the beginning of `bytes`. */
export function readFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + headBytes <= bytes.length; ) {
    const end = at + headBytes + bytes.readUIntBE(at, 3);
    if (end > bytes.length) {
      break;
    }
    const [type = 0, flags = 0] = bytes.subarray(at + 3, at + 5);
    frames.push({
      type,
      flags,
      stream: bytes.readUInt32BE(at + 5) & 0x7fffffff,
      payload: bytes.subarray(at + headBytes, end),
    });
    at = end;
  }
  return frames;
}
