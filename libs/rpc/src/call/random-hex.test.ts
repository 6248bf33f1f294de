import { describe, expect, it } from "vitest";
import { randomHex } from "./random-hex.ts";

describe("randomHex", () => {
  it("gives as many digits as asked for, and never the same", () => {
    const seen = new Set<string>();
    for (let round = 0; round < 2_000; round++) {
      const bytes = round % 2 === 0 ? 8 : 16;
      const digits = randomHex(bytes);
      expect(digits).toMatch(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
      seen.add(digits);
    }
    expect(seen.size).toBe(2_000);
  });
});
