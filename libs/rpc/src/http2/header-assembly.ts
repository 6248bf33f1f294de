import { ConnectionFault, errorCode } from "./errors.ts";
import { frameFlag, frameType, readUint31 } from "./frame.ts";

/** Takes a whole header block. `ends`: nothing follows on its stream. */
export type OnBlock = (stream: number, ends: boolean, from: Buffer, start: number, end: number) => void;

/** Frames in which a header block may come. */
const mostFrames = 32;

/** Puts header blocks together that come in a HEADERS frame and CONTINUATION frames. */
export class HeaderAssembly {
  readonly #mostBytes: number;
  readonly #onBlock: OnBlock;
  #stream = 0;
  #ends = false;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(mostBytes: number, onBlock: OnBlock) {
    this.#mostBytes = mostBytes;
    this.#onBlock = onBlock;
  }

  /** A block has begun and not ended. */
  get open(): boolean {
    return this.#stream !== 0;
  }

  /** Throws if a frame comes in between those of a block. */
  check(type: number, stream: number): void {
    if (this.#stream !== 0 && (type !== frameType.continuation || stream !== this.#stream)) {
      throw new ConnectionFault(errorCode.protocol, "a header block must not be interrupted");
    }
  }

  headers(flags: number, stream: number, from: Buffer, start: number, end: number): void {
    if (stream === 0 || (stream & 1) === 0) {
      throw new ConnectionFault(errorCode.protocol, "HEADERS on a stream that a client can't open");
    }
    let at = start;
    let until = end;
    if ((flags & frameFlag.padded) !== 0) {
      until -= from[at] ?? 0;
      at++;
    }
    if ((flags & frameFlag.priority) !== 0) {
      if (end - at < 5) {
        throw new ConnectionFault(errorCode.frameSize, "HEADERS that are cut off");
      }
      if (readUint31(from, at) === stream) {
        throw new ConnectionFault(errorCode.protocol, "a stream can't depend on itself");
      }
      at += 5;
    }
    if (at > until) {
      throw new ConnectionFault(errorCode.protocol, "padding beyond its frame");
    }
    const ends = (flags & frameFlag.endStream) !== 0;
    if ((flags & frameFlag.endHeaders) !== 0) {
      this.#onBlock(stream, ends, from, at, until);
      return;
    }
    this.#stream = stream;
    this.#ends = ends;
    this.#bytes = 0;
    this.#add(from, at, until);
  }

  continuation(flags: number, stream: number, from: Buffer, start: number, end: number): void {
    if (this.#stream === 0 || stream !== this.#stream) {
      throw new ConnectionFault(errorCode.protocol, "CONTINUATION of nothing");
    }
    this.#add(from, start, end);
    if ((flags & frameFlag.endHeaders) !== 0) {
      const block = Buffer.concat(this.#parts);
      this.#stream = 0;
      this.#parts = [];
      this.#onBlock(stream, this.#ends, block, 0, block.length);
    }
  }

  #add(from: Buffer, start: number, end: number): void {
    this.#parts.push(Buffer.from(from.subarray(start, end)));
    this.#bytes += end - start;
    if (this.#parts.length > mostFrames || this.#bytes > this.#mostBytes) {
      throw new ConnectionFault(errorCode.enhanceYourCalm, "a header block that doesn't end");
    }
  }
}
