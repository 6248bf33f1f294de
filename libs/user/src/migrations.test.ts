import { faultsOfExpansion } from "@kinora/database/testing";
import { expect, it } from "vitest";
import { userMigrations } from "./migrations.ts";

it("leave the release before everything that it needs", () => {
  expect(faultsOfExpansion(userMigrations)).toEqual([]);
});
