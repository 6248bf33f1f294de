import { frameFlag, frameHeadBytes, frameType, maxPayloadBytes, writeFrameHead, writeUint32 } from "./frame.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import type { Output } from "./output.ts";
import { defaultHeaderTableBytes, settingsPayload } from "./settings.ts";

const prefixBytes = 5;

/** Answers up to this size are copied into one piece with the frames around them. */
export const smallBytes: number = 4 * 1024;

/** Writes the frames of one connection. Windows are the business of whoever calls. */
export class FrameWriter {
  readonly #output: Output;
  readonly #encoder = new HpackEncoder(defaultHeaderTableBytes);

  constructor(output: Output) {
    this.#output = output;
  }

  /** The client lets its table of header fields have so much. */
  resizeTable(bytes: number): void {
    this.#encoder.resize(bytes);
  }

  headers(stream: number, fields: readonly string[], end: boolean): void {
    this.#block(stream, this.#encoder.encode(fields), end);
  }

  /** The fields of an answer and its whole body, of `length` bytes (at most `smallBytes`): in an envelope of gRPC if `enveloped`. */
  answer(
    stream: number,
    fields: readonly string[],
    body: Uint8Array,
    enveloped: boolean,
    length: number,
    end: boolean,
  ): void {
    const block = this.#encoder.encode(fields);
    const output = this.#output;
    let at: number;
    if (block.length <= smallBytes) {
      // One look for room instead of two.
      at = output.reserve(2 * frameHeadBytes + block.length + length);
      at = writeFrameHead(output.bytes, at, block.length, frameType.headers, frameFlag.endHeaders, stream);
      output.bytes.set(block, at);
      at += block.length;
    } else {
      this.#block(stream, block, false);
      at = output.reserve(frameHeadBytes + length);
    }
    const into = output.bytes;
    at = writeFrameHead(into, at, length, frameType.data, end ? frameFlag.endStream : 0, stream);
    if (enveloped) {
      into[at] = 0;
      at = writeUint32(into, at + 1, length - prefixBytes);
    }
    into.set(body, at);
  }

  /** A frame of a body, in parts which must not change any more. */
  data(stream: number, parts: readonly Uint8Array[], length: number, end: boolean): void {
    this.#head(length, frameType.data, end ? frameFlag.endStream : 0, stream);
    for (const part of parts) {
      this.#output.append(part);
    }
  }

  settings(settings: readonly (readonly [id: number, value: number])[]): void {
    const payload = settingsPayload(settings);
    this.#head(payload.length, frameType.settings, 0, 0);
    this.#output.append(payload);
  }

  settingsAck(): void {
    this.#head(0, frameType.settings, frameFlag.ack, 0);
  }

  pingAck(payload: Buffer): void {
    this.#head(payload.length, frameType.ping, frameFlag.ack, 0);
    this.#output.append(payload);
  }

  reset(stream: number, code: number): void {
    this.#uint32(frameType.rstStream, stream, code);
  }

  /** `stream` 0 is the connection. */
  windowUpdate(stream: number, increment: number): void {
    this.#uint32(frameType.windowUpdate, stream, increment);
  }

  goAway(lastStream: number, code: number): void {
    const at = this.#output.reserve(frameHeadBytes + 8);
    const { bytes } = this.#output;
    const payload = writeFrameHead(bytes, at, 8, frameType.goaway, 0, 0);
    writeUint32(bytes, writeUint32(bytes, payload, lastStream), code);
  }

  #block(stream: number, block: Buffer, end: boolean): void {
    const flags = end ? frameFlag.endStream : 0;
    if (block.length <= maxPayloadBytes) {
      const at = this.#output.reserve(frameHeadBytes + block.length);
      const { bytes } = this.#output;
      bytes.set(
        block,
        writeFrameHead(bytes, at, block.length, frameType.headers, flags | frameFlag.endHeaders, stream),
      );
      return;
    }
    for (let from = 0; from < block.length; from += maxPayloadBytes) {
      const part = block.subarray(from, from + maxPayloadBytes);
      const type = from === 0 ? frameType.headers : frameType.continuation;
      const last = from + part.length === block.length ? frameFlag.endHeaders : 0;
      this.#head(part.length, type, from === 0 ? flags | last : last, stream);
      this.#output.append(part);
    }
  }

  #head(length: number, type: number, flags: number, stream: number): void {
    const at = this.#output.reserve(frameHeadBytes);
    writeFrameHead(this.#output.bytes, at, length, type, flags, stream);
  }

  #uint32(type: number, stream: number, value: number): void {
    const at = this.#output.reserve(frameHeadBytes + 4);
    const { bytes } = this.#output;
    writeUint32(bytes, writeFrameHead(bytes, at, 4, type, 0, stream), value);
  }
}
