import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commitBeforeLastChange, previousCommit } from "./version.ts";

let repository: string;
const git = (...args: string[]) => execFileSync("git", args, { cwd: repository, encoding: "utf8" }).trim();
const commit = (day: number): string => {
  const date = `2030-01-0${day}T12:00:00Z`;
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
  execFileSync("git", [...identity, "commit", "-q", "--allow-empty", "-m", String(day)], {
    cwd: repository,
    env: { ...process.env, GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date },
  });
  return git("rev-parse", "HEAD");
};

beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), "kinora-versions-"));
  git("init", "-q");
});
afterEach(() => rmSync(repository, { recursive: true, force: true }));

describe("the version to upgrade from", () => {
  it("is the newest release before the last commit, unless one is named", () => {
    const first = commit(1);
    git("tag", "v1.0.0");
    const second = commit(2);
    commit(3);
    git("tag", "v1.1.0");
    expect(previousCommit(repository, undefined)).toBe(first);
    expect(previousCommit(repository, second)).toBe(second);
    expect(previousCommit(repository, "HEAD")).toBe(git("rev-parse", "HEAD"));
  });

  it("is the first release where none has a tag", () => {
    const first = commit(1);
    commit(2);
    expect(previousCommit(repository, undefined, first)).toBe(first);
  });

  it("is, for every change by itself, the one before services last changed", () => {
    const write = (path: string) => {
      mkdirSync(join(repository, dirname(path)), { recursive: true });
      writeFileSync(join(repository, path), `${Math.random()}`);
      git("add", "-A");
    };
    write("libs/x/src/a.ts");
    const first = commit(1);
    expect(commitBeforeLastChange(repository)).toBeUndefined();
    write("README.md");
    const second = commit(2);
    expect(commitBeforeLastChange(repository)).toBeUndefined();
    write("apps/x/src/main.ts");
    expect(commitBeforeLastChange(repository)).toBe(second);
    const third = commit(3);
    for (const path of ["docs/x.md", "apps/x/src/main.test.ts", "apps/x/e2e/a.ts"]) {
      write(path);
      expect(commitBeforeLastChange(repository), path).toBe(second);
    }
    write("proto/x.proto");
    expect(commitBeforeLastChange(repository)).toBe(third);
    expect(first).not.toBe(second);
  });

  it("has to exist", () => {
    commit(1);
    expect(() => previousCommit(repository, undefined)).toThrow("There is no commit 1691060");
    expect(() => previousCommit(repository, "v9")).toThrow("There is no commit v9 here.");
  });
});
