import { spawnSync } from "node:child_process";
import type { Tree } from "@nx/devkit";
import { appFiles } from "./app-files.ts";
import { contractFiles } from "./contract-files.ts";
import { contractTestFiles } from "./contract-test-files.ts";
import { withOwners, workflowOf } from "./delivery-files.ts";
import { libraryFiles } from "./library-files.ts";
import { versionsFrom } from "./package-files.ts";
import { planService, type ServiceOptions } from "./plan-service.ts";

/**
 * `npx nx g @kinora/workspace:service billing --calls user`: a service that serves, is tested and can be deployed as it is made. Nx writes the files once all of them are known, so that a refusal
 * leaves nothing; then what follows from them is made: the lock, the contract's code, the YAML for Kubernetes.
 */
export default function generateService(tree: Tree, options: ServiceOptions): () => void {
  const read = (path: string): string => tree.read(path, "utf8") ?? "";
  const manifestsIn = (folder: string) =>
    tree
      .children(folder)
      .map((name) => ({ name, path: `${folder}/${name}/package.json` }))
      .filter(({ path }) => tree.exists(path))
      .map(({ name, path }) => ({ folder: name, manifest: JSON.parse(read(path)) }));
  const ports = Object.fromEntries(
    manifestsIn("apps").flatMap(({ folder, manifest }) =>
      manifest.deploy ? [[folder, manifest.deploy.port] as const] : [],
    ),
  );
  const plan = planService(options, { exists: (path) => tree.exists(path), ports });
  const versions = versionsFrom(
    ["apps", "libs", "libs/proto", "tools"].flatMap(manifestsIn).map(({ manifest }) => manifest),
  );
  const files = {
    ...contractFiles(plan, versions),
    ...libraryFiles(plan, versions),
    ...appFiles(plan, versions),
    ...contractTestFiles(plan),
  };
  for (const [path, text] of Object.entries(files)) tree.write(path, text);
  const workflow = workflowOf(plan, read(".github/workflows/deploy-user.yml"));
  tree.write(`.github/workflows/deploy-${plan.name}.yml`, workflow);
  tree.write(".github/CODEOWNERS", withOwners(read(".github/CODEOWNERS"), plan));
  return () => finish(tree.root, plan.name);
}

/** Nx calls it when the files are written; not with --dry-run. */
function finish(root: string, name: string): void {
  const node = process.execPath;
  const steps: [string, ...string[]][] = [
    ["npm", "install", "--prefer-offline", "--no-audit", "--no-fund"],
    [node, "tools/workspace/src/lockfile/main.ts"],
    [node, "tools/workspace/src/contracts/run.mjs", name],
    [node, "node_modules/.bin/biome", "check", "--write", `apps/${name}`, `libs/${name}`, `libs/proto/${name}`],
    [node, "tools/kubernetes/src/main.ts", name],
  ];
  for (const [command, ...args] of steps) {
    const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
    if (status !== 0) {
      const line = [command === node ? "node" : command, ...args].join(" ");
      throw new Error(
        `The files of ${name} are there, but this failed: ${line}\nRun it again, and what comes after it, once you know why (docs/repository.md).`,
      );
    }
  }
}
