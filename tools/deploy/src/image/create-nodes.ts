import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CreateNodes } from "@nx/devkit";
import { imageTarget } from "./image-target.ts";
import { type Manifest, productionClosure } from "./production-closure.ts";
import { reachedPackages } from "./reached-packages.ts";

/** Gives an `image` target to every project whose package.json has a `deploy` key. Sources match as well, because its inputs depend on what they import. */
export const createNodes: CreateNodes = [
  "{**/package.json,**/src/**/*.ts}",
  (files, _options, { workspaceRoot }) => {
    const manifests = new Map(
      files
        .filter((file) => file.endsWith("package.json"))
        .map((file) => [file.replace(/\/?package\.json$/, ""), read(workspaceRoot, file)]),
    );
    const own = new Map([...manifests].map(([root, { name, exports }]) => [name ?? "", { root, exports }]));
    return [...manifests]
      .filter(([, manifest]) => manifest.deploy !== undefined)
      .map(([root]) => {
        const { projects, packages } = productionClosure(manifests, root);
        const reached = reachedPackages(workspaceRoot, `${root}/src/main.ts`, own);
        const image = imageTarget(
          root,
          projects,
          packages.filter((name) => reached.has(name)),
        );
        return [`${root}/package.json`, { projects: { [root]: { targets: { image } } } }] as const;
      });
  },
];

function read(workspace: string, file: string): Manifest {
  return JSON.parse(readFileSync(join(workspace, file), "utf8"));
}
