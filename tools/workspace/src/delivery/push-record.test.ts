import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

const program = fileURLToPath(new URL("../../../deploy/bin/push-record", import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinora-records-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const git = (cwd: string, ...args: string[]) =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd, encoding: "utf8" });

it("two services that are recorded at the same moment both stay on record", () => {
  const [origin, first, second] = ["origin", "first", "second"].map((name) => join(folder, name));
  if (!origin || !first || !second) throw new Error("There are no folders.");
  git(folder, "init", "-q", "--bare", "-b", "main", origin);
  git(folder, "clone", "-q", origin, first);
  git(first, "checkout", "-q", "-B", "main");
  git(first, "commit", "-q", "--allow-empty", "-m", "start");
  git(first, "push", "-q", "origin", "main");
  git(folder, "clone", "-q", origin, second);

  const record = (clone: string, service: string) => {
    const place = join(clone, "deployments/production", service);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "000001.json"), "{}");
    const env = { ...process.env, GITHUB_TOKEN: undefined };
    return spawnSync("bash", [program, `Deployed ${service}`], { cwd: clone, encoding: "utf8", env });
  };
  expect(record(first, "user")).toMatchObject({ status: 0 });
  expect(record(second, "encoder")).toMatchObject({ status: 0 });
  expect(git(origin, "ls-tree", "-r", "--name-only", "main").trim().split("\n")).toEqual([
    "deployments/production/encoder/000001.json",
    "deployments/production/user/000001.json",
  ]);
  expect(git(origin, "log", "--format=%s", "main").trim().split("\n").sort()).toEqual([
    "Deployed encoder",
    "Deployed user",
    "start",
  ]);
});
