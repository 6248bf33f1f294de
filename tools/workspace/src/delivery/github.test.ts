import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

describe("workflows", () => {
  const workflows = globSync(".github/workflows/*.yml", { cwd: root });

  it.each(workflows)("%s pins every action by its commit and says which release that is", (path) => {
    const uses = read(path)
      .split("\n")
      .filter((line) => /^\s*(- )?uses:/.test(line));
    expect(uses.length).toBeGreaterThan(0);
    for (const line of uses) {
      expect(line).toMatch(/uses: (\.\/\S+|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
    }
  });

  it.each(workflows)("%s may only read", (path) => {
    expect(read(path)).toMatch(/^permissions:\n {2}contents: read$/m);
  });
});

describe("CODEOWNERS", () => {
  const entries = read(".github/CODEOWNERS")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(/\s+/));

  it("names folders that exist", () => {
    const paths = entries.map(([path]) => path ?? "").filter((path) => path !== "*");
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it.each(["user", "encoder"])("gives team %s its contract, its library and its app, whole", (team) => {
    const owned = entries.filter(([, owner]) => owner === `@kinora/team-${team}`).map(([path]) => path);
    expect(owned).toEqual(
      expect.arrayContaining([`/proto/${team}/`, `/libs/proto/${team}/`, `/libs/${team}/`, `/apps/${team}/`]),
    );
  });
});
