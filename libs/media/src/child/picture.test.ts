import { expect, it } from "vitest";
import { rotationOf } from "./picture.ts";

/** A display matrix from its upper left part, in units of 1/65536. */
function matrix(a: number, b: number, c: number, d: number): Buffer {
  const bytes = Buffer.alloc(36);
  for (const [index, value] of [a, b, 0, c, d, 0, 0, 0, 1 << 30].entries()) {
    bytes.writeInt32LE(index < 5 ? value * 65_536 : value, index * 4);
  }
  return bytes;
}

it.each([
  ["upright", matrix(1, 0, 0, 1), 0],
  ["a quarter clockwise", matrix(0, 1, -1, 0), 90],
  ["upside down", matrix(-1, 0, 0, -1), 180],
  ["a quarter back", matrix(0, -1, 1, 0), 270],
  ["mirrored", matrix(-1, 0, 0, 1), 0],
  ["mirrored upside down", matrix(1, 0, 0, -1), 180],
  ["empty", matrix(0, 0, 0, 0), 0],
  ["cut", Buffer.alloc(8), 0],
])("a display matrix that says %s turns by %i", (_, given, rotation) => {
  expect(rotationOf(given)).toBe(rotation);
});
