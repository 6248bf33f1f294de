import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
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

/** A clone of `origin`, whose first commit it makes if there is none. */
function cloneOf(origin: string, name: string): string {
  const clone = join(folder, name);
  git(folder, "clone", "-q", origin, clone);
  if (spawnSync("git", ["rev-parse", "-q", "--verify", "HEAD"], { cwd: clone }).status !== 0) {
    git(clone, "checkout", "-q", "-B", "main");
    git(clone, "commit", "-q", "--allow-empty", "-m", "start");
    git(clone, "push", "-q", "origin", "main");
  }
  return clone;
}

function record(clone: string, service: string, text = "{}") {
  const place = join(clone, "deployments/production", service);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "000001.json"), text);
  const env = { ...process.env, GITHUB_TOKEN: undefined };
  return spawnSync("bash", [program, `Deployed ${service}`], { cwd: clone, encoding: "utf8", env });
}

const filesOf = (origin: string) => git(origin, "ls-tree", "-r", "--name-only", "main").trim().split("\n");

let origin: string;
beforeEach(() => {
  origin = join(folder, "origin");
  git(folder, "init", "-q", "--bare", "-b", "main", origin);
});

it("two services that are recorded at the same moment both stay on record", () => {
  const [first, second] = [cloneOf(origin, "first"), cloneOf(origin, "second")];
  expect(record(first, "user")).toMatchObject({ status: 0 });
  expect(record(second, "encoder")).toMatchObject({ status: 0 });
  expect(filesOf(origin)).toEqual([
    "deployments/production/encoder/000001.json",
    "deployments/production/user/000001.json",
  ]);
  expect(git(origin, "log", "--format=%s", "main").trim().split("\n").sort()).toEqual([
    "Deployed encoder",
    "Deployed user",
    "start",
  ]);
});

it("of two deploys of one service at the same moment, the later hears of it, and nothing half-done stays", () => {
  const [first, second] = [cloneOf(origin, "first"), cloneOf(origin, "second")];
  expect(record(first, "user", "1")).toMatchObject({ status: 0 });
  expect(record(second, "user", "2")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("Somebody else recorded a deploy of the same service"),
  });
  expect(git(origin, "show", "main:deployments/production/user/000001.json")).toBe("1");
  expect(git(second, "status")).not.toContain("rebase");
});

it("goes on where it ended when the push failed", () => {
  const clone = cloneOf(origin, "clone");
  renameSync(origin, `${origin}.away`);
  expect(record(clone, "user")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("The record could not be pushed"),
  });
  renameSync(`${origin}.away`, origin);
  expect(record(clone, "user")).toMatchObject({ status: 0 });
  expect(filesOf(origin)).toEqual(["deployments/production/user/000001.json"]);
});
