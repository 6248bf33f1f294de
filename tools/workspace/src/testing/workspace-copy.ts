import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const workspace = fileURLToPath(new URL("../../../../", import.meta.url));

/** A copy of this workspace, as it is now, that a test may change. */
export type WorkspaceCopy = {
  root: string;
  /** Runs Node in the copy: `run("tools/workspace/src/boundaries/main.ts")`. */
  run(...args: string[]): { status: number | null; output: string };
  remove(): void;
};

/** What isn't source, or is large. */
const left = new Set([".git", ".kinora", ".nx", "dist", "gen", "node_modules", "samples"]);

/** Copies the sources; packages are links, and those of the workspace lead into the copy. */
export function copyWorkspace(): WorkspaceCopy {
  const root = mkdtempSync(join(tmpdir(), "workspace-"));
  cpSync(workspace, root, { recursive: true, filter: (path) => !left.has(basename(path)) });
  linkPackages(join(workspace, "node_modules"), join(root, "node_modules"));
  linkProjects(root);
  return {
    root,
    run(...args) {
      const { status, stdout, stderr } = spawnSync(process.execPath, args, {
        cwd: root,
        encoding: "utf8",
        timeout: 120_000,
        env: {
          ...process.env,
          NX_DAEMON: "false",
          NX_WORKSPACE_ROOT_PATH: root,
          NO_COLOR: "1",
          FORCE_COLOR: undefined,
        },
      });
      return { status, output: stdout + stderr };
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function linkPackages(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (name === "@kinora" || name === ".vite") continue;
    if (name.startsWith("@")) linkPackages(join(from, name), join(to, name));
    else symlinkSync(join(from, name), join(to, name));
  }
}

function linkProjects(root: string): void {
  for (const folder of ["apps", "libs", "libs/proto", "tools"]) {
    for (const name of readdirSync(join(root, folder))) {
      const project = join(folder, name);
      if (!existsSync(join(root, project, "package.json"))) continue;
      const manifest = JSON.parse(readFileSync(join(root, project, "package.json"), "utf8"));
      const link = join(root, "node_modules", manifest.name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, project), link);
      const own = join(workspace, project, "node_modules");
      if (existsSync(own)) symlinkSync(own, join(root, project, "node_modules"));
    }
  }
}
