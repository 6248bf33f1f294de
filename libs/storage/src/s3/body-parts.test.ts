import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LengthMismatchError } from "../object-store.ts";
import { bodyParts } from "./body-parts.ts";

describe("bodyParts", () => {
  it("cuts any body into pieces of the size, and loses nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 30 }),
        async (chunks, size) => {
          const whole = Buffer.concat(chunks);
          const pieces = await Array.fromAsync(bodyParts(asStream(chunks), size, whole.length));
          expect(Buffer.concat(pieces)).toEqual(whole);
          expect(pieces.length).toBe(Math.max(1, Math.ceil(whole.length / size)));
          expect(pieces.slice(0, -1).every((piece) => piece.length === size)).toBe(true);
        },
      ),
    );
  });

  it("notices a wrong length, without waiting for the end of one that is too long", async () => {
    await expect(Array.fromAsync(bodyParts("abc", 2, 4))).rejects.toThrow(LengthMismatchError);
    const endless = async function* () {
      for (;;) yield Buffer.from("abc");
    };
    await expect(Array.fromAsync(bodyParts(endless(), 2, 4))).rejects.toThrow(LengthMismatchError);
  });
});

async function* asStream(chunks: readonly Uint8Array[]) {
  yield* chunks;
}
