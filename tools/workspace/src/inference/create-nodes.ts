import type { CreateNodes } from "@nx/devkit";
import { readContract } from "../contracts/contract.ts";
import { factFiles, factsOf } from "./facts.ts";
import { inferProject } from "./targets.ts";

/**
 * Infers every project's targets from where it stands and what it holds, so that a package.json needs no more than a name.
 * Nx hands us the files that match the pattern, and infers anew when they change.
 */
export const createNodes: CreateNodes = [
  factFiles,
  (files, _options, context) => {
    return factsOf(files).map((facts) => {
      const name = /^libs\/proto\/([^/]+)$/.exec(facts.root)?.[1];
      const contract = name === undefined ? undefined : readContract(context.workspaceRoot, name);
      return [`${facts.root}/package.json`, { projects: { [facts.root]: inferProject(facts, contract) } }] as const;
    });
  },
];
