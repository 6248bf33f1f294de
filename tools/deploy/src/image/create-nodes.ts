import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CreateNodes } from "@nx/devkit";
import { imageTarget } from "./image-target.ts";
import { type Manifest, productionClosure } from "./production-closure.ts";

/** Gives an `image` target to every project whose package.json has a `deploy` key. */
export const createNodes: CreateNodes = [
  "**/package.json",
  (files, _options, context) => {
    const manifests = new Map(
      files.map((file) => [file.replace(/\/?package\.json$/, ""), read(context.workspaceRoot, file)]),
    );
    return [...manifests]
      .filter(([, manifest]) => manifest.deploy !== undefined)
      .map(([root]) => {
        const image = imageTarget(root, productionClosure(manifests, root));
        return [`${root}/package.json`, { projects: { [root]: { targets: { image } } } }] as const;
      });
  },
];

function read(workspace: string, file: string): Manifest {
  return JSON.parse(readFileSync(join(workspace, file), "utf8"));
}
