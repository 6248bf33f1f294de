import type { CreateNodes } from "@nx/devkit";
import { readContract } from "../contracts/contract.ts";
import { factsOf } from "./facts.ts";
import { inferProject } from "./targets.ts";

/**
 * Infers every project's targets from where it stands and what it holds, so that a package.json needs no more than a name.
 * The pattern lists every file that the inference looks at: Nx hands us the matches, and infers anew when they change.
 */
export const createNodes: CreateNodes = [
  "{apps,libs,tools}/**/{package.json,src/main.ts,*.test.ts}",
  (files, _options, context) => {
    return factsOf(files).map((facts) => {
      const name = /^libs\/proto\/([^/]+)$/.exec(facts.root)?.[1];
      const contract = name === undefined ? undefined : readContract(context.workspaceRoot, name);
      return [`${facts.root}/package.json`, { projects: { [facts.root]: inferProject(facts, contract) } }] as const;
    });
  },
];
