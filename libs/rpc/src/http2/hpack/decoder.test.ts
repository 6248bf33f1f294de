import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConnectionFault } from "../errors.ts";
import { HpackDecoder } from "./decoder.ts";

const plenty = { bytes: 100_000, fields: 1000 };
const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

function decoderOf(maxTableBytes: number) {
  const decoder = new HpackDecoder(maxTableBytes, plenty);
  return (hex: string) => {
    const block = bytes(hex);
    return decoder.decode(block, 0, block.length).list;
  };
}

const get = (scheme: string, path: string) => [":method", "GET", ":scheme", scheme, ":path", path];
const firstDate = "Mon, 21 Oct 2013 20:13:21 GMT";
const secondDate = "Mon, 21 Oct 2013 20:13:22 GMT";
const requests = [
  [...get("http", "/"), ":authority", "www.example.com"],
  [...get("http", "/"), ":authority", "www.example.com", "cache-control", "no-cache"],
  [...get("https", "/index.html"), ":authority", "www.example.com", "custom-key", "custom-value"],
];
const answer = (status: string, date: string) => [
  ":status",
  status,
  "cache-control",
  "private",
  "date",
  date,
  "location",
  "https://www.example.com",
];
const answers = [
  answer("302", firstDate),
  answer("307", firstDate),
  [
    ...answer("200", secondDate),
    "content-encoding",
    "gzip",
    "set-cookie",
    "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
  ],
];

describe("the examples of RFC 7541, appendix C", () => {
  it.each([
    [
      "C.3, requests",
      4096,
      [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
      ],
      requests,
    ],
    [
      "C.4, requests in Huffman's code",
      4096,
      [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
      ],
      requests,
    ],
    [
      "C.5, answers, in a table that overflows",
      256,
      [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
      ],
      answers,
    ],
    [
      "C.6, answers in Huffman's code, in a table that overflows",
      256,
      [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
      ],
      answers,
    ],
  ])("%s", (_name, table, blocks, expected) => {
    const decode = decoderOf(table);
    expect(blocks.map(decode)).toEqual(expected.map((fields) => expect.arrayContaining(fields)));
  });
});

describe("what is no header block", () => {
  it.each([
    ["index 0", "80"],
    ["an index beyond the table", "be"],
    ["a name's index beyond the table", "7e 00"],
    ["a string that is cut off", "40 05 61"],
    ["a field without a value", "40 01 61"],
    ["an integer that doesn't end", "7f ff ff ff ff ff ff ff"],
    ["an integer that is cut off", "7f 80"],
    ["a larger table than there may be", "3f e2 1f"],
    ["a table size after a field", "82 20"],
    ["padding of a string that isn't all ones", "40 01 61 81 1e"],
    ["padding of 8 bits", "40 01 61 82 1f ff"],
    ["the end of the string within one", "40 01 61 84 ff ff ff ff"],
  ])("%s", (_name, hex) => {
    expect(() => decoderOf(4096)(hex)).toThrow(ConnectionFault);
  });

  it("is all that it throws, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HpackDecoder(4096, plenty);
        try {
          for (const block of blocks) {
            decoder.decode(Buffer.from(block), 0, block.length);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionFault);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a block that says too much", () => {
  // A field of 4 kB in the table, and a byte for each time that it is meant: a "bomb".
  const field = Buffer.concat([bytes("40 01 61 7f a0 1e"), Buffer.alloc(3999, "x")]);

  it("comes to nothing, and the next one is understood", () => {
    const decoder = new HpackDecoder(4096, { bytes: 16_384, fields: 100 });
    expect(decoder.decode(field, 0, field.length).list).toHaveLength(2);
    const bomb = Buffer.alloc(10_000, 0xbe);
    expect(decoder.decode(bomb, 0, bomb.length)).toEqual({ list: [], tooMany: true });
    expect(decoder.decode(bytes("be"), 0, 1).list).toEqual(["a", "x".repeat(3999)]);
  });

  it("by the number of its fields", () => {
    const decoder = new HpackDecoder(4096, { bytes: 16_384, fields: 3 });
    expect(decoder.decode(bytes("82 84 86"), 0, 3).tooMany).toBe(false);
    expect(decoder.decode(bytes("82 84 86 82"), 0, 4).tooMany).toBe(true);
  });
});
