/** One rolling upgrade, from what the last change of services found: the short form of `npm run upgrade-test`, which has every order and an earlier release. */
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@kinora/testing";
import { expect, it } from "vitest";
import { upgrade } from "../src/upgrade.ts";
import { candidate, checkOut, commitBeforeLastChange } from "../src/version.ts";

const workspace = fileURLToPath(new URL("../../../", import.meta.url));
const before = commitBeforeLastChange(workspace);
if (before === undefined)
  console.warn("Skipped: this clone's history doesn't go back to the services before the last change.");

it.skipIf(before === undefined)(
  "services are replaced one after another: no call fails, and no encode is lost",
  async () => {
    const folder = await temporaryFolder("kinora-upgrade-from-");
    try {
      const said: string[] = [];
      const say = (line: string) => said.push(line);
      const from = checkOut(workspace, before ?? "", say, folder.path);
      // The encoder first: it has to do with workers and with a user service that are older.
      const { calls, encodes, faults, logs } = await upgrade(
        from,
        candidate(workspace),
        ["encoder", "encoder-worker", "user"],
        say,
        1,
      );
      expect(faults, [...said, logs.slice(-20_000)].join("\n")).toEqual([]);
      expect(encodes).toBe(2);
      expect(calls).toBeGreaterThan(100);
    } finally {
      await folder.remove();
    }
  },
  600_000,
);
