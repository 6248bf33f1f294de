import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const workspace = fileURLToPath(new URL("../../../../", import.meta.url));

/** A clone of this workspace as it is now, changes and new files included, that a test may change. */
export type WorkspaceClone = {
  root: string;
  /** Runs a command of the clone's own tools. */
  run(...args: string[]): { status: number | null; stdout: string; stderr: string };
  /** Changes a file; it must change. A file that isn't there is made. */
  edit(path: string, change: (text: string) => string): void;
  /** Keeps every change from being undone. */
  keep(): void;
  /** Undoes every change. */
  restore(): void;
  remove(): void;
};

/** Makes a clone in a git repository of its own, with one commit, or with the `history` of this one. `packages`: links are enough to look at packages; whoever bundles them needs copies. */
export function cloneWorkspace({
  packages,
  history,
}: {
  packages: "links" | "copies";
  history?: boolean;
}): WorkspaceClone {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "clone-")));
  const git = (cwd: string, ...args: string[]): string =>
    execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  for (const file of git(workspace, "ls-files", "-co", "--exclude-standard").split("\n")) {
    if (file !== "" && existsSync(join(workspace, file))) cpSync(join(workspace, file), join(root, file));
  }
  if (history) {
    cpSync(git(workspace, "rev-parse", "--path-format=absolute", "--git-common-dir").trim(), join(root, ".git"), {
      recursive: true,
    });
    git(root, "config", "core.bare", "false");
    git(root, "update-ref", "--no-deref", "HEAD", git(workspace, "rev-parse", "HEAD").trim());
    git(root, "reset", "-q");
  } else {
    git(root, "init", "-q", "-b", "main");
    git(root, "add", "-A");
    git(root, "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-q", "-m", "clone");
  }
  for (const name of readdirSync(join(workspace, "libs/proto"))) {
    const generated = `libs/proto/${name}/gen`;
    if (existsSync(join(workspace, generated)))
      cpSync(join(workspace, generated), join(root, generated), { recursive: true });
  }
  const modules = join(root, "node_modules");
  if (packages === "copies") copyPackages(join(workspace, "node_modules"), modules);
  else linkPackages(join(workspace, "node_modules"), modules);
  return {
    root,
    run(...args) {
      const { status, stdout, stderr } = spawnSync(process.execPath, args, {
        cwd: root,
        encoding: "utf8",
        timeout: 300_000,
        maxBuffer: 64 << 20,
        env: {
          ...process.env,
          NX_DAEMON: "false",
          NX_WORKSPACE_ROOT_PATH: root,
          NO_COLOR: "1",
          FORCE_COLOR: undefined,
        },
      });
      return { status, stdout, stderr };
    },
    edit(path, change) {
      const file = join(root, path);
      const before = existsSync(file) ? readFileSync(file, "utf8") : "";
      const after = change(before);
      if (after === before) throw new Error(`${path} stays the same`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, after);
    },
    keep() {
      git(root, "add", "-A");
    },
    restore() {
      git(root, "checkout", "-q", ".");
      git(root, "clean", "-fdq");
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Packages of the workspace are links that lead to `../../libs/x`: copied as they are, they lead into the clone. */
function copyPackages(from: string, to: string): void {
  const linked = spawnSync("cp", ["-al", from, to]);
  if (linked.status === 0) return;
  // Another file system.
  rmSync(to, { recursive: true, force: true });
  execFileSync("cp", ["-a", from, to]);
}

function linkPackages(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.name === ".vite" || entry.name === ".landed-lock") continue;
    const target = join(from, entry.name);
    if (entry.name.startsWith("@") || entry.name === ".bin") linkPackages(target, join(to, entry.name));
    // A link of its own: the workspace's, or a command.
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(target), join(to, entry.name));
    else symlinkSync(target, join(to, entry.name));
  }
}
