import { ConnectionFault, errorCode } from "./errors.ts";
import { frameHeadBytes, maxPayloadBytes, readUint31 } from "./frame.ts";

/** Takes a frame, whose payload is in `from`, at `start` to `end`; it is valid only as long as `from` is. False: read no further. */
export type OnFrame = (
  type: number,
  flags: number,
  stream: number,
  from: Buffer,
  start: number,
  end: number,
) => boolean;

const none = Buffer.alloc(0);

/** Finds the frames in what comes on a connection. They are read in place; only one that comes in several pieces is put together. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  /** The beginning of a frame. */
  #begun = none;
  #length = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** Reads on at `start`. Throws a `ConnectionFault` for a frame that is too large, and what the taker of frames throws. */
  read(chunk: Buffer, start: number): void {
    let at = this.#length === 0 ? start : this.#complete(chunk, start);
    const end = chunk.length;
    while (end - at >= frameHeadBytes) {
      const payload = at + frameHeadBytes;
      const next = payload + lengthOf(chunk, at);
      if (next > end) {
        break;
      }
      if (!this.#take(chunk, at, next)) {
        return;
      }
      at = next;
    }
    if (at < end) {
      this.#begin(chunk, at);
    }
  }

  /** Adds to the frame that has begun; returns where the rest begins. */
  #complete(chunk: Buffer, start: number): number {
    let at = start;
    if (this.#length < frameHeadBytes) {
      at = this.#add(chunk, at, frameHeadBytes);
      if (this.#length < frameHeadBytes) {
        return at;
      }
      const whole = Buffer.allocUnsafe(frameHeadBytes + lengthOf(this.#begun, 0));
      whole.set(this.#begun.subarray(0, frameHeadBytes));
      this.#begun = whole;
    }
    at = this.#add(chunk, at, this.#begun.length);
    if (this.#length === this.#begun.length) {
      const frame = this.#begun;
      this.#begun = none;
      this.#length = 0;
      if (!this.#take(frame, 0, frame.length)) {
        return chunk.length;
      }
    }
    return at;
  }

  #begin(chunk: Buffer, at: number): void {
    const known = chunk.length - at >= frameHeadBytes;
    this.#begun = Buffer.allocUnsafe(frameHeadBytes + (known ? lengthOf(chunk, at) : 0));
    this.#length = 0;
    this.#add(chunk, at, this.#begun.length);
  }

  #add(chunk: Buffer, at: number, until: number): number {
    const next = Math.min(chunk.length, at + until - this.#length);
    this.#length += chunk.copy(this.#begun, this.#length, at, next);
    return next;
  }

  #take(from: Buffer, at: number, next: number): boolean {
    return this.#onFrame(
      from[at + 3] ?? 0,
      from[at + 4] ?? 0,
      readUint31(from, at + 5),
      from,
      at + frameHeadBytes,
      next,
    );
  }
}

function lengthOf(from: Buffer, at: number): number {
  const length = ((from[at] ?? 0) << 16) | ((from[at + 1] ?? 0) << 8) | (from[at + 2] ?? 0);
  if (length > maxPayloadBytes) {
    throw new ConnectionFault(errorCode.frameSize, "a frame that is larger than it may be");
  }
  return length;
}
