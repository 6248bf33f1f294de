import { createHash } from "node:crypto";
import { DatabaseError } from "../database-error.ts";
import type { Migration } from "./migration.ts";

/** A migration that a database says it has run. */
export type Applied = { name: string; checksum: string };

/** Of the text, whatever the line ends that a checkout gave it. */
export function checksum(sql: string): string {
  return createHash("sha256").update(sql.replaceAll("\r\n", "\n").trim()).digest("hex");
}

/** @throws {Error} when the list itself is wrong: a mistake in the program */
export function assertOrdered(migrations: readonly Migration[]): void {
  for (const [index, { name }] of migrations.entries()) {
    if (!/^\d{4}_[a-z0-9_]+$/.test(name)) throw new Error(`Migration "${name}" isn't named like 0001_users.`);
    const former = migrations[index - 1]?.name;
    if (former !== undefined && former >= name) throw new Error(`Migration "${name}" comes after "${former}".`);
  }
}

/**
 * Which migrations are to be run, and which names in the database this program doesn't know.
 *
 * Unknown ones were run by a newer version. That is no reason to stop: schemas change by expanding first and
 * contracting a release later, so that this version still runs beside the newer one.
 * @throws {DatabaseError} when what was run isn't what this program would have run
 */
export function pending(
  migrations: readonly Migration[],
  applied: readonly Applied[],
): { run: Migration[]; unknown: string[] } {
  const known = new Set(migrations.map(({ name }) => name));
  const done = new Map(applied.map(({ name, checksum }) => [name, checksum]));
  const run = migrations.filter(({ name }) => !done.has(name));
  for (const { name, sql } of migrations) {
    const recorded = done.get(name);
    if (recorded === undefined) continue;
    if (recorded !== checksum(sql)) {
      throw new DatabaseError(
        `Migration ${name} was changed after it had run on this database. Put its old text back and make the change in a new migration.`,
      );
    }
    const late = run.find((migration) => migration.name < name);
    if (late) {
      throw new DatabaseError(
        `Migration ${late.name} comes before ${name}, which has already run on this database. Rename it so that it comes last.`,
      );
    }
  }
  return { run, unknown: applied.map(({ name }) => name).filter((name) => !known.has(name)) };
}
