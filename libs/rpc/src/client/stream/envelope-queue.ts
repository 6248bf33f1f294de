import { Code, ConnectError } from "@connectrpc/connect";
import { own, prefixBytes } from "../unary/envelope.ts";

/** A message on the wire: what its flags say, and its bytes. */
export type Envelope = { flags: number; bytes: Uint8Array };

/** Takes envelopes out of chunks that end anywhere. */
export type EnvelopeQueue = {
  /** Bytes that wait. */
  readonly bytes: number;
  push(chunk: Uint8Array): void;
  /** Whether `take` has one. */
  ready(): boolean;
  /** The next envelope that is whole. Throws `resource_exhausted` as soon as one says that it is longer than the limit. */
  take(): Envelope | undefined;
};

/** `maxBytes`: the longest message. */
export function createEnvelopeQueue(maxBytes: number): EnvelopeQueue {
  let chunks: Uint8Array[] = [];
  // Of the first chunk, these have been taken.
  let offset = 0;
  let bytes = 0;

  /** Makes the first `length` bytes stand in one chunk. */
  function gather(length: number): Uint8Array {
    const [first] = chunks;
    if (first !== undefined && first.byteLength - offset >= length) {
      return first;
    }
    const all = Buffer.concat(chunks).subarray(offset);
    chunks = [all];
    offset = 0;
    return all;
  }

  /** How long the next envelope is with its prefix; undefined if that isn't here. */
  function nextLength(): number | undefined {
    if (bytes < prefixBytes) {
      return undefined;
    }
    const chunk = gather(prefixBytes);
    const at = (index: number) => chunk[offset + index] ?? 0;
    const length = at(1) * 2 ** 24 + ((at(2) << 16) | (at(3) << 8) | at(4));
    if (length > maxBytes) {
      throw new ConnectError(
        `message size ${length} is larger than configured readMaxBytes ${maxBytes}`,
        Code.ResourceExhausted,
      );
    }
    return prefixBytes + length;
  }

  return {
    get bytes() {
      return bytes;
    },
    push(chunk) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
    },
    ready() {
      const length = nextLength();
      return length !== undefined && length <= bytes;
    },
    take() {
      const length = nextLength();
      if (length === undefined || length > bytes) {
        return undefined;
      }
      const chunk = gather(length);
      const flags = chunk[offset] ?? 0;
      const message = own(chunk, offset + prefixBytes, offset + length);
      offset += length;
      bytes -= length;
      if (offset === chunk.byteLength) {
        chunks.shift();
        offset = 0;
      }
      return { flags, bytes: message };
    },
  };
}
