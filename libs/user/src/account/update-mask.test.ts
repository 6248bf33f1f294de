import { create } from "@bufbuild/protobuf";
import { Role, UserSchema } from "@kinora/proto-user";
import { DomainError } from "@kinora/rpc";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAccountChange } from "./update-mask.ts";

const today = new Date("2026-03-01T12:00:00Z");
const user = create(UserSchema, { name: " Ada ", birthDate: "1815-12-10", role: Role.ADMIN, email: "x" });

function violationsOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof DomainError && error.reason === "invalid") return error.violations.map(({ field }) => field);
    throw error;
  }
  return [];
}

describe("readAccountChange", () => {
  it("reads only what the mask names", () => {
    expect(readAccountChange(user, ["name"], today)).toEqual({ name: "Ada" });
    expect(readAccountChange(user, ["role", "name", "name"], today)).toEqual({ name: "Ada", role: "admin" });
    expect(readAccountChange(create(UserSchema), ["birth_date"], today)).toEqual({ birthDate: "" });
  });

  it.each<[string[], string[]]>([
    [[], ["update_mask.paths"]],
    [["email"], ["update_mask.paths[0]"]],
    [["name", "user.name"], ["update_mask.paths[1]"]],
    [["*"], ["update_mask.paths[0]"]],
    [["birthDate"], ["update_mask.paths[0]"]],
    [["birth_date"], ["user.birth_date"]],
    [
      ["birth_date", "id"],
      ["user.birth_date", "update_mask.paths[1]"],
    ],
  ])("mask %j violates %j", (paths, fields) => {
    expect(violationsOf(() => readAccountChange(user, paths, today))).toEqual(fields);
  });

  it("refuses a role that isn't set or isn't known", () => {
    for (const role of [Role.UNSPECIFIED, 99 as Role]) {
      const changed = create(UserSchema, { role });
      expect(violationsOf(() => readAccountChange(changed, ["role"], today))).toEqual(["user.role"]);
    }
  });

  it("yields the named fields or violations, whatever the mask", () => {
    const path = fc.oneof(fc.constantFrom("name", "birth_date", "role", "email", ""), fc.string());
    fc.assert(
      fc.property(fc.array(path, { maxLength: 30 }), (paths) => {
        const fine = create(UserSchema, { name: "Ada", birthDate: "1990-01-01", role: Role.MEMBER });
        const known = paths.length > 0 && paths.every((path) => ["name", "birth_date", "role"].includes(path));
        const violated = violationsOf(() => {
          const change = readAccountChange(fine, paths, today);
          expect(Object.keys(change).length).toBe(new Set(paths).size);
        });
        expect(violated.length === 0).toBe(known);
        expect(violated.length).toBeLessThanOrEqual(10);
      }),
    );
  });
});
