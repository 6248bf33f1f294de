import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { findService } from "../workspace/services.ts";
import { readMigrations } from "./migrations.ts";

const workspace = fileURLToPath(new URL("../../../../", import.meta.url));
const user = findService(workspace, "user");

describe("the migrations of a service", () => {
  it("are those that its package.json names, in order", async () => {
    const [first, ...rest] = (await readMigrations(workspace, user)) ?? [];
    expect(first).toEqual({ name: "0001_users", checksum: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(rest.length).toBeGreaterThan(0);
    expect(await readMigrations(workspace, findService(workspace, "encoder-worker"))).toBeNull();
  });

  it.each([
    ["@kinora/nothing", "Cannot find module"],
    ["@kinora/user/store", "is not defined by"],
    ["@kinora/rpc", "it has to export one list"],
  ])("can't be read from %s, and that is said", async (migrations, reason) => {
    const reading = readMigrations(workspace, { ...user, migrations });
    await expect(reading).rejects.toThrow(
      `The migrations of user can't be read ("${migrations}" in apps/user/package.json)`,
    );
    await expect(readMigrations(workspace, { ...user, migrations })).rejects.toThrow(reason);
  });
});
