import { expect, it } from "vitest";
import { faultsOfRelease } from "./migrations.ts";

const old = { name: "0001_a" };
const expands = { name: "0002_b" };
const contracts = { name: "0003_c", completes: "0002_b" };

it("what is replaced goes a release after its replacement came", () => {
  expect(faultsOfRelease([old], [old, expands])).toEqual([]);
  expect(faultsOfRelease([old, expands], [old, expands, contracts])).toEqual([]);
  expect(faultsOfRelease([old], [old, expands, contracts])).toEqual([
    "Migration 0003_c takes away what 0002_b replaces, and both are new: release 0002_b first.",
  ]);
});
