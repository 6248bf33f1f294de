import type { Readable, Writable } from "node:stream";

/** The longest frame that is read: the suite's own limit for what programs under test may send. */
export const longestFrame = 16 * 1024 * 1024;

/**
 * Splits bytes into frames: four bytes of length, big-endian, then that many bytes. This is how the suite talks with programs under test.
 * Throws when a frame is too long and when the bytes end within one.
 */
export async function* readFrames(chunks: Readable | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    pending = pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([pending, chunk]);
    for (;;) {
      const length = pending.length < 4 ? undefined : pending.readUInt32BE();
      if (length !== undefined && length > longestFrame) {
        throw new Error(`a frame of ${length} bytes is too long; the suite sends at most ${longestFrame}`);
      }
      if (length === undefined || pending.length < 4 + length) {
        break;
      }
      yield pending.subarray(4, 4 + length);
      pending = pending.subarray(4 + length);
    }
  }
  if (pending.length > 0) {
    throw new Error(`the input ended within a frame, ${pending.length} bytes into it`);
  }
}

/** A message with its length before it. */
export function frame(message: Uint8Array): Uint8Array {
  const result = Buffer.alloc(4 + message.length);
  result.writeUInt32BE(message.length);
  result.set(message, 4);
  return result;
}

/** Writes a message as one frame. Settles when it is out; rejects when nobody reads any more. */
export function writeFrame(output: Writable, message: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(frame(message), (error) => (error ? reject(error) : resolve()));
  });
}
