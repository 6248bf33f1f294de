import { createHash } from "node:crypto";
import type { QueryConfig } from "pg";

/** More texts than this program has; if somebody should put values into texts, connections don't fill up with plans. */
const mostStatements = 500;

const names = new Map<string, string>();

/**
 * The statement as one that its connection prepares at first use and keeps: to plan it takes Postgres two to five times as long as to run it. It is named by its text, so that
 * a name never stands for two.
 */
export function prepared(text: string, values: readonly unknown[]): QueryConfig {
  let name = names.get(text);
  if (name === undefined && names.size < mostStatements) {
    name = createHash("sha256").update(text).digest("base64url").slice(0, 24);
    names.set(text, name);
  }
  return { text, values: [...values], ...(name !== undefined && { name }) };
}
