/** What an entry counts beyond its name and value (RFC 7541, section 4.1). */
export const entryOverhead = 32;

/** The fields that a connection's HPACK has seen last. Its oldest go as soon as all of them are more than `maxBytes`. */
export class DynamicTable {
  // The oldest are at `#first`.
  #names: string[] = [];
  #values: string[] = [];
  #first = 0;
  #bytes = 0;
  #maxBytes: number;
  /** Changes whenever an entry comes or goes. */
  version = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get entries(): number {
    return this.#names.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The name of the entry that came as the `i`th from the end; 0 is the newest. */
  name(i: number): string {
    return this.#names[this.#names.length - 1 - i] ?? "";
  }

  value(i: number): string {
    return this.#values[this.#values.length - 1 - i] ?? "";
  }

  /** An entry that is larger than the table empties it, and stays out. */
  add(name: string, value: string): void {
    const bytes = name.length + value.length + entryOverhead;
    this.#shrinkTo(this.#maxBytes - bytes);
    this.version++;
    if (bytes <= this.#maxBytes) {
      this.#names.push(name);
      this.#values.push(value);
      this.#bytes += bytes;
    }
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.version++;
    this.#shrinkTo(maxBytes);
  }

  #shrinkTo(bytes: number): void {
    while (this.#bytes > bytes && this.entries > 0) {
      const { length: name = 0 } = this.#names[this.#first] ?? "";
      const { length: value = 0 } = this.#values[this.#first] ?? "";
      this.#bytes -= name + value + entryOverhead;
      this.#names[this.#first] = "";
      this.#values[this.#first] = "";
      this.#first++;
    }
    if (this.#first > 64 && this.#first * 2 > this.#names.length) {
      this.#names = this.#names.slice(this.#first);
      this.#values = this.#values.slice(this.#first);
      this.#first = 0;
    }
  }
}
