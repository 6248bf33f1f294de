import { isBuiltin } from "node:module";
import { posix } from "node:path";
import type { Import, Project } from "./workspace.ts";

/** What an import reaches. */
export type Imported =
  | { kind: "own" }
  | { kind: "project"; project: Project }
  /** By a path into another project's folder, or out of all of them. */
  | { kind: "path"; path: string }
  | { kind: "npm"; name: string };

export function resolveImport(from: Project, { file, specifier }: Import, projects: readonly Project[]): Imported {
  if (specifier.startsWith(".") || specifier.startsWith("/")) {
    const path = posix.join(posix.dirname(file), specifier);
    return path.startsWith(`${from.root}/`) ? { kind: "own" } : { kind: "path", path };
  }
  if (specifier.startsWith("#") || isBuiltin(specifier)) return { kind: "own" };
  const name = packageName(specifier);
  if (name === from.packageName) return { kind: "own" };
  const project = projects.find((candidate) => candidate.packageName === name);
  return project ? { kind: "project", project } : { kind: "npm", name };
}

/** "@kinora/media/plan" → "@kinora/media" */
function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Files that are never deployed, so that they may use development packages. */
export function isTestFile(project: Project, file: string): boolean {
  const inside = file.slice(project.root.length + 1);
  return (
    project.root === "libs/testing" ||
    /\.test\.ts$/.test(inside) ||
    /(^|\/)(testing|e2e)\//.test(inside) ||
    !/^(src|bin|gen)\//.test(inside)
  );
}
