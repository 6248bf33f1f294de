import { describe, expect, it } from "vitest";
import type { Migration } from "../image/migrations.ts";
import { faultsOfMigrations } from "./check-migrations.ts";

const step = (name: string, completes?: string): Migration => ({
  name,
  checksum: `of ${name}`,
  ...(completes !== undefined && { completes }),
});
const old = step("0001_users");
const expands = step("0002_names");
const contracts = step("0003_no_name", "0002_names");

describe("migrations", () => {
  it.each<[string, Migration[], Migration[]]>([
    ["the same as have run", [old], [old]],
    ["one that adds", [old, expands], [old]],
    ["one that takes away, a release after its replacement came", [old, expands, contracts], [old, expands]],
    ["all of them on an empty database", [old, expands, contracts], []],
    ["without what a newer version only added", [old], [old, expands]],
    ["a version that has stopped using what is gone", [old, expands], [old, expands, contracts]],
  ])("may run: %s", (_what, candidate, ran) => {
    expect(faultsOfMigrations("user", candidate, ran)).toEqual([]);
  });

  it("may not take away what a version needs that was rolled back to", () => {
    expect(faultsOfMigrations("user", [old, expands, contracts], [old, expands], [old])).toEqual([
      expect.stringContaining("Deploy 0002_names first."),
    ]);
  });

  it.each<[string, Migration[], Migration[], string]>([
    [
      "takes away what is in use, in one go with its replacement",
      [old, expands, contracts],
      [old],
      "Deploy 0002_names first.",
    ],
    [
      "was changed afterwards",
      [{ ...old, checksum: "of something else" }],
      [old],
      "0001_users was changed after it had run",
    ],
    [
      "comes before one that has run",
      [old, expands, contracts],
      [old, contracts],
      "0002_names comes before 0003_no_name",
    ],
    ["has taken away what an older version needs", [old], [old, expands, contracts], "doesn't know of 0002_names yet"],
  ])("are refused when one %s", (_what, candidate, ran, sentence) => {
    expect(faultsOfMigrations("user", candidate, ran)).toContainEqual(expect.stringContaining(sentence));
  });
});
