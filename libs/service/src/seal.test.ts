import { describe, expect, it } from "vitest";
import { createSeal } from "./seal.ts";

const content = Buffer.from("the private part of a key");

describe("a seal", () => {
  const seal = createSeal("a secret of some length", "tests");
  const sealed = seal.seal("k1", content);

  it("gives back what it sealed, and shows none of it", () => {
    expect(seal.open("k1", sealed)).toEqual(content);
    expect(sealed.includes(content)).toBe(false);
    expect(seal.seal("k1", content).equals(sealed)).toBe(false);
  });

  it("opens for nobody else, under no other name, and not after a change", () => {
    expect(createSeal("another secret", "tests").open("k1", sealed)).toBeUndefined();
    expect(createSeal("a secret of some length", "other").open("k1", sealed)).toBeUndefined();
    expect(seal.open("k2", sealed)).toBeUndefined();
    for (const at of [0, 12, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(seal.open("k1", changed)).toBeUndefined();
    }
    expect(seal.open("k1", Buffer.alloc(0))).toBeUndefined();
  });
});
