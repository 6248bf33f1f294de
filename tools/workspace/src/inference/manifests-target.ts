import type { TargetConfiguration } from "@nx/devkit";
import type { ProjectFacts } from "./facts.ts";

/** Whether the YAML in an app's deploy/ folder is what its TypeScript says, and passes the schemas and rules of tools/kubernetes. */
export function manifests(facts: ProjectFacts): TargetConfiguration {
  const name = facts.root.slice("apps/".length);
  return {
    executor: "nx:run-commands",
    options: { command: `node tools/kubernetes/src/main.ts ${name} --check`, cwd: "{workspaceRoot}" },
    cache: true,
    // Services refer to each other, so one that changed may break another's.
    inputs: [
      "{workspaceRoot}/apps/*/deploy/**/*",
      "{workspaceRoot}/apps/*/package.json",
      "{workspaceRoot}/tools/kubernetes/**/*",
      { externalDependencies: ["@kubernetes-models/keda", "kubernetes-models", "yaml"] },
    ],
  };
}
