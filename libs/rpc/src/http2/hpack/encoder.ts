import { entryOverhead } from "./dynamic-table.ts";
import { staticEntries, staticIndexOfName, staticNames, staticValues } from "./static-table.ts";

const pieces = new Map<string, Buffer>();

const secret = new Set(["set-cookie", "authorization", "proxy-authorization", "www-authenticate"]);

/** The `:status` line for each status that has an index of its own. */
const statusIndex = new Map<string, number>();
for (let i = 1; i <= staticEntries; i++) {
  if (staticNames[i] === ":status") {
    statusIndex.set(staticValues[i] ?? "", i);
  }
}

/**
 * Encodes the header blocks of one connection, in their order (RFC 7541).
 *
 * Lists of fields that are always the same, which are frozen, go into the peer's table, after which they take a byte for each field; they are encoded once. Once the table is full it
 * stays as it is: what is always the same are few. All others are sent as they are, not compressed by Huffman's code: the bytes saved are few against those of the bodies.
 */
export class HpackEncoder {
  #maxBytes: number;
  #bytes = 0;
  /** Each field in the table, with how many were there before it. */
  #places = new Map<string, number>();
  #blocks = new Map<readonly string[], Buffer>();
  /** Whether the next block must begin by telling the table's size. */
  #resized = false;

  /** `maxBytes`: what the peer lets its table have, to begin with. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The peer lets its table have so much from now on. More than it had is not made use of. */
  resize(maxBytes: number): void {
    if (maxBytes < this.#maxBytes) {
      this.#maxBytes = maxBytes;
      this.#bytes = 0;
      this.#places.clear();
      this.#blocks.clear();
      this.#resized = true;
    }
  }

  /** The block of these fields, names (lower case) and values in turn. The bytes are to be sent before the next block is encoded, and not to be changed. */
  encode(fields: readonly string[]): Buffer {
    const known = this.#blocks.get(fields);
    if (known !== undefined) {
      return known;
    }
    const parts: Buffer[] = [];
    if (this.#resized) {
      this.#resized = false;
      // First to nothing, which empties the peer's table as well.
      parts.push(Buffer.from([0x20]), integer(0x20, 0x1f, this.#maxBytes));
    }
    const constant = Object.isFrozen(fields);
    const before = this.#places.size;
    let steady = parts.length === 0;
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const name = fields[i] ?? "";
      const value = fields[i + 1] ?? "";
      const status = name === ":status" ? statusIndex.get(value) : undefined;
      const place = this.#places.get(`${name}\0${value}`);
      if (status !== undefined) {
        parts.push(integer(0x80, 0x7f, status));
      } else if (place !== undefined) {
        parts.push(integer(0x80, 0x7f, staticEntries + this.#places.size - place));
      } else if (constant && this.#add(name, value)) {
        steady = false;
        parts.push(literal(0x40, 0x3f, name, value));
      } else {
        parts.push(literal(secret.has(name) ? 0x10 : 0, 0x0f, name, value));
      }
    }
    const block = Buffer.concat(parts);
    if (this.#places.size > before) {
      // What is new in the table has moved the rest of it.
      this.#blocks.clear();
    }
    if (constant && steady) {
      this.#blocks.set(fields, block);
    }
    return block;
  }

  #add(name: string, value: string): boolean {
    const bytes = name.length + value.length + entryOverhead;
    if (this.#bytes + bytes > this.#maxBytes || bytes > 256) {
      return false;
    }
    this.#bytes += bytes;
    this.#places.set(`${name}\0${value}`, this.#places.size);
    return true;
  }
}

function literal(pattern: number, mask: number, name: string, value: string): Buffer {
  const index = staticIndexOfName.get(name);
  const named = index === undefined ? [Buffer.from([pattern]), nameOf(name)] : [integer(pattern, mask, index)];
  return Buffer.concat([...named, text(value)]);
}

/** Names are few. */
function nameOf(name: string): Buffer {
  let bytes = pieces.get(name);
  if (bytes === undefined) {
    bytes = text(name);
    if (pieces.size < 1000) {
      pieces.set(name, bytes);
    }
  }
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([integer(0, 0x7f, bytes.length), bytes]);
}

function integer(pattern: number, mask: number, value: number): Buffer {
  if (value < mask) {
    return Buffer.from([pattern | value]);
  }
  const bytes = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    bytes.push((rest & 0x7f) | 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
