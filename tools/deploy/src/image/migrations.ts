import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { DeployError } from "../deploy-error.ts";
import type { Service } from "../workspace/services.ts";

/** A step of a service's database, as it is recorded. */
export type Migration = {
  name: string;
  /** SHA-256 of its SQL. */
  checksum: string;
  /** Only of one that takes something away: the earlier step that made its replacement. */
  completes?: string;
};

/**
 * The migrations that a service of the working tree would run: the one list of `{ name, sql, completes? }` that the module exports that its package.json names
 * (`"deploy": { "migrations": "@kinora/user/migrations" }`). Null for a service that names none.
 * @throws DeployError when the module can't be loaded or has no such list
 */
export async function readMigrations(
  workspace: string,
  { name, root, migrations }: Service,
): Promise<Migration[] | null> {
  if (migrations === undefined) return null;
  const fault = (why: string): DeployError =>
    new DeployError(`The migrations of ${name} can't be read ("${migrations}" in ${root}/package.json): ${why}.`);
  let exported: unknown[];
  try {
    const file = createRequire(join(workspace, root, "package.json")).resolve(migrations);
    exported = Object.values(await import(pathToFileURL(file).href));
  } catch (error) {
    throw fault((error as Error).message.split("\n")[0] ?? "");
  }
  const [list, ...others] = exported.filter((value) => Array.isArray(value) && value.every(isMigration));
  if (list === undefined || others.length > 0) throw fault("it has to export one list of { name, sql }");
  return (list as Source[]).map(({ name, sql, completes }) => ({
    name,
    checksum: createHash("sha256").update(sql.replaceAll("\r\n", "\n").trim()).digest("hex"),
    ...(completes !== undefined && { completes }),
  }));
}

type Source = { name: string; sql: string; completes?: string };

function isMigration(value: unknown): value is Source {
  const { name, sql, completes } = (value ?? {}) as Partial<Record<keyof Source, unknown>>;
  return (
    typeof name === "string" && typeof sql === "string" && (completes === undefined || typeof completes === "string")
  );
}
