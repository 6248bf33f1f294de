import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";

const plenty = { bytes: 1_000_000, fields: 1000 };

/** An encoder, and a decoder as its peer has one. */
function pair(maxBytes = 4096) {
  const encoder = new HpackEncoder(maxBytes);
  const decoder = new HpackDecoder(4096, plenty);
  return {
    encoder,
    through(fields: readonly string[]) {
      const block = encoder.encode(fields);
      return { list: decoder.decode(block, 0, block.length).list, bytes: block.length };
    },
  };
}

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const value = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((c) => String.fromCharCode(c)),
  maxLength: 300,
});
const status = fc.constantFrom("200", "204", "404", "429", "503").map((code) => [":status", code]);
const fieldsOf = fc
  .tuple(status, fc.array(fc.tuple(name, value), { maxLength: 8 }), fc.boolean())
  .map(([head, rest, constant]) => (constant ? Object.freeze([...head, ...rest.flat()]) : [...head, ...rest.flat()]));

describe("encoding header blocks", () => {
  it("is undone by decoding, in any order, whatever becomes of the table", () => {
    fc.assert(
      fc.property(
        fc.array(fieldsOf, { minLength: 1, maxLength: 10 }),
        fc.array(fc.oneof(fc.nat({ max: 9 }), fc.integer({ min: 0, max: 8192 }).map(String)), { maxLength: 30 }),
        (lists, steps) => {
          const { encoder, through } = pair();
          for (const step of steps) {
            if (typeof step === "string") {
              encoder.resize(Number(step));
            } else {
              const fields = lists[step % lists.length] ?? [];
              expect(through(fields).list).toEqual([...fields]);
            }
          }
        },
      ),
    );
  });

  it("takes a byte for each field that is always the same, once the peer knows them", () => {
    const { through } = pair();
    const head = Object.freeze([":status", "200", "content-type", "application/grpc+proto"]);
    const trailers = Object.freeze(["grpc-status", "0"]);
    through(head);
    through(trailers);
    expect(through(head).bytes).toBe(2);
    expect(through(trailers).bytes).toBe(1);
    // The same fields in another list, as one more of them is written.
    expect(through([...head, "x-note", "1"]).bytes).toBeLessThan(14);
  });

  it("never has more in the table than the peer allows", () => {
    const { through } = pair(100);
    for (let i = 0; i < 20; i++) {
      const fields = Object.freeze([":status", "200", `x-${i}`, "y".repeat(20)]);
      expect(through(fields).list).toEqual(fields);
      expect(through(fields).list).toEqual(fields);
    }
  });

  it("keeps secrets out of every table on the way", () => {
    const { encoder } = pair();
    expect(encoder.encode(["set-cookie", "a=b"])[0]).toBe(0x1f);
  });
});
