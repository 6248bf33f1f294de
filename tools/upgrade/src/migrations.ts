import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Version } from "./version.ts";

/** As much of a migration as is looked at here. */
type Migration = { name: string; completes?: string };

const program = `
  import { userMigrations } from "./libs/user/src/migrations.ts";
  import { migrations } from "./libs/encoder/src/migrations.ts";
  console.log(JSON.stringify([...userMigrations, ...migrations].map(({ name, completes }) => ({ name, completes }))));
`;

/** The migrations of all services, as that version's own code has them. */
export function migrationsOf({ name, root }: Version): Migration[] {
  const node = join(root, "node_modules/node/bin/node");
  const { status, stdout, stderr } = spawnSync(node, ["--input-type=module", "--eval", program], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`The migrations of ${name} can't be read:\n${stderr}`);
  return JSON.parse(stdout);
}

/** What one release may not do: make something, and take away in the same go what it replaces. */
export function faultsOfRelease(before: readonly Migration[], now: readonly Migration[]): string[] {
  const released = new Set(before.map(({ name }) => name));
  return now
    .filter(({ name, completes }) => !released.has(name) && completes !== undefined && !released.has(completes))
    .map(
      ({ name, completes }) =>
        `Migration ${name} takes away what ${completes} replaces, and both are new: release ${completes} first.`,
    );
}
