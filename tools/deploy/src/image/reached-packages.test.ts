import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type OwnPackages, reachedPackages } from "./reached-packages.ts";

let workspace: string;
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), "reached-"));
});
afterEach(() => rmSync(workspace, { recursive: true }));

const own: OwnPackages = new Map([
  [
    "@own/media",
    {
      root: "libs/media",
      exports: { ".": "./src/index.ts", "./task": { import: "./src/task.ts" }, "./x/*.js": "./src/x/*.ts" },
    },
  ],
]);

function reached(files: Record<string, string>): string[] {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    // Written with other quotes here, where the boundary check would take them for imports of this file.
    writeFileSync(join(workspace, path), text.replaceAll(/[«»]/g, '"'));
  }
  return [...reachedPackages(workspace, "apps/a/src/main.ts", own)].sort();
}

describe("packages that a program reaches", () => {
  it.each([
    ["import { a } from «b»;", ["b"]],
    ["import a, {\n  type B,\n  c,\n} from «@s/b/deep.js»;", ["@s/b"]],
    ["export * from «b»;", ["b"]],
    ["import «b»;", ["b"]],
    ["const a = await import(«b»);", ["b"]],
    ["const a = createRequire(import.meta.url)(\n  «b»,\n);", ["b"]],
    ["const a = createRequire(import.meta.url).resolve(«b»);", ["b"]],
    ["const a = import.meta.resolve(«b/c.js»);", ["b"]],
    ["import type { A } from «b»;", []],
    ["import { a } from «node:fs»;", []],
    ["import «@own/unknown»;", ["@own/unknown"]],
  ])("%j", (text, packages) => {
    expect(reached({ "apps/a/src/main.ts": text })).toEqual(packages);
  });

  it("are those of the part of a library that it loads", () => {
    const library = {
      "libs/media/src/index.ts": "export * from «./plan.ts»;",
      "libs/media/src/plan.ts": "import «light»;",
      "libs/media/src/task.ts": "import «./index.ts»; new URL(«./child.ts», import.meta.url);",
      "libs/media/src/child.ts": "import «heavy»;",
      "libs/media/src/x/y.ts": "import «other»;",
    };
    expect(
      reached({
        ...library,
        "apps/a/src/main.ts": "import «./b.ts»;",
        "apps/a/src/b.ts": "import «@own/media»;\nimport «./main.ts»;",
      }),
    ).toEqual(["light"]);
    expect(reached({ ...library, "apps/a/src/main.ts": "import «@own/media/task»;" })).toEqual(["heavy", "light"]);
    expect(reached({ ...library, "apps/a/src/main.ts": "import «@own/media/x/y.js»;" })).toEqual(["other"]);
  });
});
