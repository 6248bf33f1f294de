import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");

it("every test that docs/encoding-requirements.md names is there", () => {
  const text = readFileSync(join(root, "docs/encoding-requirements.md"), "utf8");
  const named = [...text.matchAll(/`([\w./-]+\.test\.ts)`/g)].map(([, path = ""]) => path);
  expect(named.length).toBeGreaterThan(50);
  const isThere = (path: string) => existsSync(join(root, "libs", path)) || existsSync(join(root, path));
  expect(named.filter((path) => path !== "*.test.ts" && !isThere(path))).toEqual([]);
});
