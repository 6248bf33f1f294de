import { expect, it } from "vitest";
import { nextPiece } from "./upload.ts";

it.each([
  ["grows on a fast line", 1_048_576, 100, 2_097_152],
  ["stays where a piece takes a second", 1_048_576, 1_000, 1_048_576],
  ["shrinks on a slow line", 1_048_576, 4_000, 524_288],
  ["has a maximum", 64 * 1_048_576, 1, 64 * 1_048_576],
  ["has a minimum", 262_144, 60_000, 262_144],
])("a piece %s", (_, bytes, ms, next) => {
  expect(nextPiece(bytes, ms)).toBe(next);
});
