import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DatabaseError } from "../database-error.ts";
import { assertOrdered, checksum, pending } from "./pending.ts";

const migrations = ["0001_a", "0002_b", "0003_c"].map((name) => ({ name, sql: `SELECT '${name}'` }));
const applied = migrations.map(({ name, sql }) => ({ name, checksum: checksum(sql) }));

describe("pending", () => {
  it("is what hasn't run, in order, wherever the history stands", () => {
    fc.assert(
      fc.property(fc.nat(migrations.length), (done) => {
        expect(pending(migrations, applied.slice(0, done))).toEqual({ run: migrations.slice(done), unknown: [] });
      }),
    );
  });

  it("goes on beside a newer version, and names what that has run", () => {
    const newer = [...applied, { name: "0004_d", checksum: "x" }];
    expect(pending(migrations, newer)).toEqual({ run: [], unknown: ["0004_d"] });
  });

  it("refuses a migration that was changed after it had run", () => {
    const changed = migrations.with(1, { name: "0002_b", sql: "SELECT 'changed'" });
    expect(() => pending(changed, applied)).toThrow(DatabaseError);
    expect(() => pending(changed, applied)).toThrow(/^Migration 0002_b was changed after it had run/);
  });

  it("refuses one that was put before one that has run", () => {
    const history = applied.filter(({ name }) => name !== "0002_b");
    expect(() => pending(migrations, history)).toThrow(/^Migration 0002_b comes before 0003_c, which has already run/);
  });
});

it("takes no notice of line ends", () => {
  expect(checksum("SELECT 1;\r\nSELECT 2;\r\n")).toBe(checksum("SELECT 1;\nSELECT 2;"));
  expect(checksum("SELECT 1")).not.toBe(checksum("SELECT 2"));
});

it.each([
  [["1_a"], 'Migration "1_a" isn\'t named like 0001_users.'],
  [["0001_a; DROP"], "isn't named like"],
  [["0002_b", "0001_a"], 'Migration "0001_a" comes after "0002_b".'],
  [["0001_a", "0001_a"], "comes after"],
])("refuses the list %j", (names, message) => {
  expect(() => assertOrdered(names.map((name) => ({ name, sql: "" })))).toThrow(message);
});
