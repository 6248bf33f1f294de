import type { TargetConfiguration } from "@nx/devkit";

/** Where the bundle of a service lies, relative to the workspace. */
export const imageFolder = (service: string): string => `dist/images/${service}`;

/**
 * The target whose hash is the deploy key: it has as inputs what goes into the image, and nothing else.
 * Every package is named, because a command without `externalDependencies` is hashed with all there are.
 */
export function imageTarget(
  root: string,
  projects: readonly string[],
  packages: readonly string[],
): TargetConfiguration {
  return {
    executor: "nx:run-commands",
    options: { command: "kinora-deploy bundle {projectName}", cwd: "{workspaceRoot}" },
    cache: true,
    dependsOn: ["generate", "^generate"],
    inputs: [
      "deployed",
      ...(projects.length > 0 ? [{ input: "deployed", projects: [...projects] }] : []),
      // The bundler itself, and what is said of images in general.
      "{workspaceRoot}/tools/deploy/src/{image,contracts}/**/*",
      "!{workspaceRoot}/tools/deploy/src/**/*.test.ts",
      { json: "{workspaceRoot}/deploy.json", fields: ["image"] },
      { externalDependencies: [...new Set([...packages, "esbuild", "node"])].sort() },
    ],
    outputs: [`{workspaceRoot}/${imageFolder("{projectName}")}`],
    metadata: { description: `Bundles ${root} into ${imageFolder("{projectName}")}` },
  };
}
