import { tooLarge } from "./envelope.ts";

const nothing = Buffer.alloc(0);

// A client may send a byte at a time; each is a Buffer of some hundred bytes until it is joined with others.
const looseChunks = 64;

/** Collects a request's body, nearly always one chunk. */
export class Body {
  readonly #limit: number;
  readonly #messageBytes: number;
  #first: Buffer = nothing;
  #more: Buffer[] | undefined;
  #size = 0;

  /** `overhead`: the bytes that a body may have beside a message of `messageBytes`. */
  constructor(messageBytes: number, overhead: number) {
    this.#messageBytes = messageBytes;
    this.#limit = messageBytes + overhead;
  }

  /** Throws `resource_exhausted` as soon as there is more than there may be. */
  add(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#limit) {
      this.#first = nothing;
      this.#more = undefined;
      throw tooLarge(undefined, this.#messageBytes);
    }
    if (this.#first.length === 0) {
      this.#first = chunk;
    } else if (this.#more === undefined) {
      this.#more = [chunk];
    } else {
      this.#more.push(chunk);
      if (this.#more.length === looseChunks) {
        this.#more = [Buffer.concat(this.#more)];
      }
    }
  }

  /** All that has come. */
  bytes(): Buffer {
    return this.#more === undefined ? this.#first : Buffer.concat([this.#first, ...this.#more], this.#size);
  }
}
