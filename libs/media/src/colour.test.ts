import { expect, it } from "vitest";
import { planColour, transferNumber } from "./colour.ts";

const source = { primaries: 2, transfer: 2, matrix: 2, width: 1920, height: 1080 };

it.each([
  ["nothing stated, HD", {}, { primaries: 1, transfer: 1, matrix: 1 }],
  ["nothing stated, SD", { width: 720, height: 576 }, { primaries: 6, transfer: 6, matrix: 6 }],
  ["all stated", { primaries: 5, transfer: 4, matrix: 5 }, { primaries: 5, transfer: 4, matrix: 5 }],
  ["only the matrix stated", { matrix: 6 }, { primaries: 6, transfer: 6, matrix: 6 }],
  ["RGB", { primaries: 1, transfer: 13, matrix: 0 }, { primaries: 1, transfer: 1, matrix: 1 }],
  ["BT.2020", { primaries: 9, transfer: 14, matrix: 9 }, { primaries: 1, transfer: 1, matrix: 1 }],
  ["HDR that claims BT.709", { matrix: 1, transfer: 16, toneMap: true }, { primaries: 1, transfer: 1, matrix: 1 }],
])("%s", (_, changes, wanted) => {
  expect(planColour({ ...source, ...changes })).toEqual(wanted);
});

it("knows transfers by name", () => {
  expect(["smpte2084", "bt709", "", "unheard-of"].map(transferNumber)).toEqual([16, 1, 2, 2]);
});
