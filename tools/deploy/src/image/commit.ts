import { execFileSync } from "node:child_process";
import { DeployError } from "../deploy-error.ts";

/** The commit of the working tree; with a "+" when files differ from it. @throws DeployError outside of a git repository */
export function readCommit(workspace: string): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: workspace, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no").trim() !== "";
    return git("rev-parse", "HEAD").trim() + (changed ? "+" : "");
  } catch (error) {
    throw new DeployError(`The commit can't be told: ${(error as Error).message.split("\n")[0]}`);
  }
}
