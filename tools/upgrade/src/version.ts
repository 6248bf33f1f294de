import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A version of Kinora that can be run: a folder with its sources and packages. */
export type Version = { name: string; root: string };

/** Keeps the log of a folder's installation, and says that it was completed. */
const done = ".installed";

/** The state that went out as 0.1.0: what came later can be upgraded to from it. Where there are tags, they say more. */
const firstRelease = "1691060e876ea115bb33fe18fa748b404b669299";

/**
 * The commit to upgrade from: what `from` names, else the newest release before the last commit (tags `v…`), else the first release.
 * @throws with a sentence for the person
 */
export function previousCommit(workspace: string, from: string | undefined, first = firstRelease): string {
  const name = from ?? git(workspace, "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^") ?? first;
  const commit = git(workspace, "rev-parse", "--verify", "--quiet", `${name}^{commit}`);
  if (commit === undefined) {
    throw new Error(`There is no commit ${name} here. A shallow clone lacks older ones: git fetch --unshallow --tags.`);
  }
  return commit;
}

/** What services are made of, for git: not their tests. */
const sources = ["apps", "libs", "proto", "package-lock.json", ":(exclude)*.test.ts", ":(exclude)*/e2e/*"];

/**
 * The commit whose services the working tree's would replace if every change went out by itself: the one before services last changed, which is the current one where they were
 * changed and not committed. Undefined where the history doesn't go back to it.
 */
export function commitBeforeLastChange(workspace: string): string | undefined {
  const { status } = spawnSync("git", ["diff", "--quiet", "HEAD", "--", ...sources], { cwd: workspace });
  if (status === 1) return git(workspace, "rev-parse", "HEAD");
  const change = git(workspace, "log", "-1", "--format=%H", "--", ...sources);
  return change === undefined ? undefined : git(workspace, "rev-parse", "--verify", "--quiet", `${change}^`);
}

/** Takes a commit's sources out of git and installs its packages, below a folder (dist/upgrade unless given); once for each commit. */
export function checkOut(
  workspace: string,
  commit: string,
  say: (line: string) => void,
  folder = join(workspace, "dist/upgrade"),
): Version {
  const name = commit.slice(0, 7);
  const root = join(folder, commit);
  if (existsSync(join(root, done))) return { name, root };
  say(`Taking ${name} out of git, with its packages …`);
  const making = `${root}.making`;
  rmSync(making, { recursive: true, force: true });
  rmSync(root, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  run(workspace, "sh", ["-c", 'git archive "$0" | tar -x -C "$1"', commit, making]);
  if (linkPackages(workspace, making)) {
    run(making, "npm", ["run", "--silent", "prepare"]);
  } else {
    // The scripts of packages bring Node itself, and `prepare` generates the contracts' code.
    run(making, "npm", ["ci", "--prefer-offline", "--no-audit", "--no-fund"]);
  }
  run(making, "touch", [done]);
  renameSync(making, root);
  return { name, root };
}

/** Where both lock the same packages, they can have the same files: npm replaces files and never changes one. False if they don't, or the disk isn't the same. */
function linkPackages(workspace: string, root: string): boolean {
  const [ours, theirs] = [workspace, root].map((folder) => readFileSync(join(folder, "package-lock.json"), "utf8"));
  if (ours !== theirs) return false;
  const { status } = spawnSync("cp", ["-al", join(workspace, "node_modules"), join(root, "node_modules")]);
  if (status === 0) return true;
  rmSync(join(root, "node_modules"), { recursive: true, force: true });
  return false;
}

/** The working tree. */
export function candidate(workspace: string): Version {
  const { version } = JSON.parse(readFileSync(join(workspace, "package.json"), "utf8"));
  return { name: `${version} (working tree)`, root: workspace };
}

function git(cwd: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync("git", args, { cwd, encoding: "utf8" });
  return status === 0 && stdout.trim() !== "" ? stdout.trim() : undefined;
}

function run(cwd: string, command: string, args: string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    timeout: 15 * 60_000,
    maxBuffer: 2 ** 26,
    // npm would leave its cache of compiled code in the temporary folder.
    env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${error ?? ""}${stdout}${stderr}`);
}
