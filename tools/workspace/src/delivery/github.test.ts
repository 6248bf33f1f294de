import { spawnSync } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

type Step = { name?: string; run?: string; uses?: string };
type Job = { steps?: Step[]; uses?: string; with?: Record<string, string>; permissions?: Record<string, string> };
type Workflow = { concurrency?: { group: string; "cancel-in-progress": unknown }; jobs: Record<string, Job> };

const workflows = globSync(".github/workflows/*.yml", { cwd: root }).sort();
const workflow = (path: string): Workflow => parse(read(path));
const jobsOf = (path: string): Job[] => Object.values(workflow(path).jobs);

/** Apps that are deployed: their package.json says where they listen. */
const deployed = readdirSync(join(root, "apps")).filter(
  (name) => "deploy" in JSON.parse(read(`apps/${name}/package.json`)),
);

describe("workflows", () => {
  it.each(workflows)("%s pins every action by its commit and says which release that is", (path) => {
    const uses = read(path)
      .split("\n")
      .filter((line) => /^\s*(- )?uses:/.test(line));
    expect(uses.length).toBeGreaterThan(0);
    for (const line of uses) {
      expect(line).toMatch(/uses: (\.\/\S+|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
    }
  });

  it.each(workflows)("%s may only read, but for the job that keeps a record", (path) => {
    expect(read(path)).toMatch(/^permissions:\n {2}contents: read$/m);
    for (const { permissions } of jobsOf(path)) expect([undefined, { contents: "write" }]).toContainEqual(permissions);
  });

  it.each(workflows)("%s runs commands that are here", (path) => {
    for (const { run } of jobsOf(path).flatMap(({ steps = [] }) => steps)) {
      if (run === undefined) continue;
      const { status, stderr } = spawnSync("bash", ["-n"], { input: run, encoding: "utf8" });
      expect({ run, status, stderr }).toEqual({ run, status: 0, stderr: "" });
      // What the caller sent may hold anything: it reaches a shell by the environment, never as part of a command.
      expect(run).not.toContain("${{");
      for (const [, command = ""] of run.matchAll(/(?:^|\$\(|['";|&]\s*)npx ([\w-]+)/gm)) {
        expect(existsSync(join(root, "node_modules/.bin", command)), `npx ${command}`).toBe(true);
      }
      for (const [file = ""] of run.matchAll(/(?:^|\s)(?:tools\/|\.ci\/)[\w/.-]+/gm)) {
        expect(existsSync(join(root, file.trim())), file).toBe(true);
      }
    }
  });
});

describe("a deployed app", () => {
  it("there are some", () => expect(deployed).toEqual(expect.arrayContaining(["encoder", "encoder-worker", "user"])));

  it.each(deployed)("%s has a workflow of its own, which no other's ends or waits for", (name) => {
    const path = `.github/workflows/deploy-${name}.yml`;
    const { concurrency, jobs } = workflow(path);
    expect(jobs.deploy).toMatchObject({ uses: "./.github/workflows/deploy.yml", with: { service: name } });
    expect(concurrency).toEqual({
      group: `deploy-${name}-\${{ inputs.environment || 'staging' }}`,
      "cancel-in-progress": false,
    });
    // Its own team decides about it, as about the app.
    expect(ownerOf(`/${path}`)).toBe(ownerOf(`/apps/${name}/`));
  });
});

const entries = read(".github/CODEOWNERS")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => line.split(/\s+/));

function ownerOf(path: string): string | undefined {
  return entries.find(([pattern]) => pattern === path)?.[1];
}

describe("CODEOWNERS", () => {
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
