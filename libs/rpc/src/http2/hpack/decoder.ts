import { ConnectionFault, errorCode } from "../errors.ts";
import { DynamicTable, entryOverhead } from "./dynamic-table.ts";
import { huffmanDecode } from "./huffman.ts";
import { staticEntries, staticNames, staticValues } from "./static-table.ts";

/** A decoded header block. */
export type DecodedFields = {
  /** Names and values in turn, a character per byte. Empty if there are too many. */
  readonly list: readonly string[];
  /** They are more than the receiver takes. */
  readonly tooMany: boolean;
};

/** What a header block may unfold to: bytes of names and values with 32 for each field, and fields. */
export type FieldLimits = { bytes: number; fields: number };

const longBytes = 64;
const longestBytes = 2048;

const nothing: DecodedFields = { list: [], tooMany: true };

/**
 * Decodes the header blocks of one connection, in their order (RFC 7541). A block that says more than it may is read to its end all the same, because it changes the table that
 * later blocks refer to; but nothing is kept of it.
 */
export class HpackDecoder {
  readonly #maxTableBytes: number;
  readonly #limits: FieldLimits;
  readonly #table: DynamicTable;
  #from: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #longCode: Buffer = Buffer.alloc(0);
  #longText = "";

  constructor(maxTableBytes: number, limits: FieldLimits) {
    this.#maxTableBytes = maxTableBytes;
    this.#limits = limits;
    this.#table = new DynamicTable(maxTableBytes);
  }

  /** Changes with the table: the same bytes mean the same as long as this does not change. */
  get tableVersion(): number {
    return this.#table.version;
  }

  /** Throws a `ConnectionFault` if the bytes are no header block; the connection can't go on then. */
  decode(from: Buffer, start: number, end: number): DecodedFields {
    this.#from = from;
    this.#at = start;
    this.#end = end;
    const list: string[] = [];
    let bytes = 0;
    let fields = 0;
    let begun = false;
    while (this.#at < this.#end) {
      const first = from[this.#at] ?? 0;
      if ((first & 0xe0) === 0x20) {
        this.#resize(begun);
        continue;
      }
      begun = true;
      let name: string;
      let value: string;
      if (first >= 0x80) {
        const index = this.#integer(0x7f);
        name = this.#name(index);
        value = index <= staticEntries ? (staticValues[index] ?? "") : this.#table.value(index - staticEntries - 1);
      } else {
        const indexed = first >= 0x40;
        const index = this.#integer(indexed ? 0x3f : 0x0f);
        name = index === 0 ? this.#string() : this.#name(index);
        value = this.#string();
        if (indexed) {
          this.#table.add(name, value);
        }
      }
      fields++;
      bytes += name.length + value.length + entryOverhead;
      if (bytes <= this.#limits.bytes && fields <= this.#limits.fields) {
        list.push(name, value);
      }
    }
    return bytes > this.#limits.bytes || fields > this.#limits.fields ? nothing : { list, tooMany: false };
  }

  #resize(begun: boolean): void {
    const bytes = this.#integer(0x1f);
    if (begun || bytes > this.#maxTableBytes) {
      throw new ConnectionFault(errorCode.compression, "a table size that may not be");
    }
    this.#table.resize(bytes);
  }

  #name(index: number): string {
    if (index === 0 || index > staticEntries + this.#table.entries) {
      throw new ConnectionFault(errorCode.compression, "an index of no header field");
    }
    return index <= staticEntries ? (staticNames[index] ?? "") : this.#table.name(index - staticEntries - 1);
  }

  /** An integer that begins in the low bits of the next byte (section 5.1). */
  #integer(mask: number): number {
    let value = (this.#from[this.#at++] ?? 0) & mask;
    if (value < mask) {
      return value;
    }
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#at >= this.#end) {
        break;
      }
      const byte = this.#from[this.#at++] ?? 0;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    throw new ConnectionFault(errorCode.compression, "an integer that doesn't end");
  }

  /** A token comes with each call, and isn't let into the table: the last long string is kept instead. */
  #huffman(start: number, end: number): string | undefined {
    if (end - start < longBytes) {
      return huffmanDecode(this.#from, start, end);
    }
    const { length } = this.#longCode;
    if (length === end - start && this.#from.compare(this.#longCode, 0, length, start, end) === 0) {
      return this.#longText;
    }
    const text = huffmanDecode(this.#from, start, end);
    if (text !== undefined && end - start <= longestBytes) {
      this.#longCode = Buffer.from(this.#from.subarray(start, end));
      this.#longText = text;
    }
    return text;
  }

  #string(): string {
    if (this.#at >= this.#end) {
      throw new ConnectionFault(errorCode.compression, "a header field that is cut off");
    }
    const huffman = (this.#from[this.#at] ?? 0) >= 0x80;
    const length = this.#integer(0x7f);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) {
      throw new ConnectionFault(errorCode.compression, "a string that is cut off");
    }
    this.#at = end;
    const text = huffman ? this.#huffman(start, end) : this.#from.toString("latin1", start, end);
    if (text === undefined) {
      throw new ConnectionFault(errorCode.compression, "a string that isn't Huffman's");
    }
    return text;
  }
}
