import type { FieldLimits } from "./hpack/decoder.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import { type RequestFields, requestFields, trailerFields } from "./request-fields.ts";
import { defaultHeaderTableBytes } from "./settings.ts";

/** What a header block is as a request; "malformed" if it isn't one. */
export type RequestBlock = RequestFields | "malformed" | "too large";

type Known = { bytes: Buffer; version: number; fields: RequestFields };

const knownBlocks = 3;
const longestKnown = 1024;

/**
 * Reads the header blocks of one connection. A client that makes the same call over and over sends the same few bytes, all of which refer to the table: those are
 * decoded, and looked at, once. So are those with a token in them, which isn't let into tables.
 */
export class HeaderBlocks {
  readonly #decoder: HpackDecoder;
  #known: Known[] = [];

  constructor(limits: FieldLimits) {
    this.#decoder = new HpackDecoder(defaultHeaderTableBytes, limits);
  }

  /** Throws a `ConnectionFault` if the bytes are no header block. */
  request(from: Buffer, start: number, end: number): RequestBlock {
    const version = this.#decoder.tableVersion;
    for (const known of this.#known) {
      if (known.version === version && same(known.bytes, from, start, end)) {
        return known.fields;
      }
    }
    const { list, tooMany } = this.#decoder.decode(from, start, end);
    if (tooMany) {
      return "too large";
    }
    const fields = requestFields(list);
    if (fields === undefined) {
      return "malformed";
    }
    if (this.#decoder.tableVersion === version && end - start <= longestKnown) {
      this.#known = this.#known.filter((known) => known.version === version).slice(0, knownBlocks - 1);
      this.#known.unshift({ bytes: Buffer.from(from.subarray(start, end)), version, fields });
    }
    return fields;
  }

  /** The fields after a body; undefined if they are malformed or too many. */
  trailers(from: Buffer, start: number, end: number): readonly string[] | undefined {
    const { list, tooMany } = this.#decoder.decode(from, start, end);
    return tooMany ? undefined : trailerFields(list);
  }
}

function same(bytes: Buffer, from: Buffer, start: number, end: number): boolean {
  const { length } = bytes;
  return (
    length === end - start &&
    (length < fewBytes ? sameFew(bytes, from, start) : from.compare(bytes, 0, length, start, end) === 0)
  );
}

// Below this, a call out of JavaScript costs more than a loop.
const fewBytes = 64;

function sameFew(bytes: Buffer, from: Buffer, start: number): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== from[start + i]) {
      return false;
    }
  }
  return true;
}
