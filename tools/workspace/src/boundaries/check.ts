import { type Imported, isTestFile, resolveImport } from "./imported.ts";
import { matches, owners, type Rule, ruleFor, usedByFolder } from "./rules.ts";
import type { Project, Workspace } from "./workspace.ts";

/** One broken rule, and the files that break it. */
export type Violation = { message: string; files: string[] };

/**
 * Every broken boundary of the workspace; none means that all is well.
 * Whatever makes the check blind is a violation too: an empty graph, one without edges, one that lacks what the files show.
 */
export function findViolations(workspace: Workspace): Violation[] {
  const blind = blindness(workspace);
  if (blind.length > 0) return blind;
  return workspace.projects.flatMap((project) => merge(faultsOf(project, workspace)));
}

function blindness({ projects, edges, folders }: Workspace): Violation[] {
  const blind = (message: string): Violation[] => [{ message, files: [] }];
  if (projects.length === 0) return blind("The Nx project graph has no projects: nothing can be checked.");
  if (edges.length === 0) {
    return blind(
      'The Nx project graph has no edges: nothing can be checked. Nx needs TypeScript 6 as "typescript" in package.json.',
    );
  }
  const known = new Set(projects.map((project) => project.root));
  return folders
    .filter((folder) => !known.has(folder))
    .flatMap((folder) => blind(`${folder} has a package.json but isn't in the Nx project graph.`));
}

type Fault = { message: string; file: string };
type Use = { file: string; imported: Imported };

function faultsOf(project: Project, workspace: Workspace): Fault[] {
  const rule = ruleFor(project.root, workspace.folders);
  const manifest = `${project.root}/package.json`;
  if (!rule) {
    const message = `${project.root} has no place in tools/workspace/src/boundaries/rules.ts: say there what it may import.`;
    return [{ message, file: manifest }];
  }
  const uses = workspace.imports
    .filter(({ file }) => file.startsWith(`${project.root}/`))
    .map((entry): Use => ({ file: entry.file, imported: resolveImport(project, entry, workspace.projects) }));
  return [
    ...uses.flatMap(({ file, imported }) =>
      faultsOfImport(project, rule, file, imported, workspace).map((message) => ({ message, file })),
    ),
    ...forbidden(project, rule, workspace).flatMap(({ target, message }) => {
      const files = uses.filter(({ imported }) => imported.kind === "project" && imported.project === target);
      return files.length > 0 ? files.map(({ file }) => ({ message, file })) : [{ message, file: manifest }];
    }),
    ...unused(project, uses).map((message) => ({ message, file: manifest })),
  ];
}

function faultsOfImport(
  project: Project,
  rule: Rule,
  file: string,
  imported: Imported,
  workspace: Workspace,
): string[] {
  switch (imported.kind) {
    case "own":
      return [];
    case "path":
      return [`${project.root} reaches into ${imported.path} by a path: import the package by its name.`];
    case "npm":
      return [
        ...notForIt(project, rule, imported.name),
        ...undeclared(project, imported.name, file, workspace.provided),
      ];
    case "project":
      return [
        ...undeclared(project, imported.project.packageName, file, []),
        ...missingEdge(project, imported.project, workspace),
      ];
  }
}

function notForIt(project: Project, rule: Rule, name: string): string[] {
  const owner = owners[name];
  if (owner !== undefined && owner !== project.root) {
    return [`${project.root} may not import ${name}: only ${owner} may.`];
  }
  if (rule.npm && !rule.npm.includes(name)) {
    return [`${project.root} may not import ${name}: of npm's packages only ${rule.npm.join(", ")}.`];
  }
  return [];
}

function undeclared(project: Project, name: string, file: string, provided: readonly string[]): string[] {
  if (project.dependencies.includes(name)) return [];
  const message = `${project.root} imports ${name}, which its package.json doesn't name in dependencies`;
  if (!isTestFile(project, file)) return [`${message}.`];
  if (project.devDependencies.includes(name) || provided.includes(name)) return [];
  return [`${message} or devDependencies.`];
}

function missingEdge(from: Project, to: Project, { edges }: Workspace): string[] {
  if (edges.some((edge) => edge.from === from.name && edge.to === to.name)) return [];
  return [`The Nx project graph lacks the edge from ${from.name} to ${to.name}: it can't be trusted.`];
}

/** Edges of the graph that the rule doesn't allow, whatever made them. */
function forbidden(project: Project, rule: Rule, { edges, projects }: Workspace) {
  const allowed = rule.mayImport.join(", ") || "no project";
  return projects
    .filter((target) => target !== project)
    .filter((target) => edges.some((edge) => edge.from === project.name && edge.to === target.name))
    .filter((target) => !rule.mayImport.some((pattern) => matches(pattern, target.root)))
    .map((target) => ({
      target,
      message: `${project.root} may not import ${target.root}. It may import: ${allowed}.`,
    }));
}

function unused(project: Project, uses: readonly Use[]): string[] {
  const used = new Set(
    uses.map(({ imported }) => {
      if (imported.kind === "npm") return imported.name;
      return imported.kind === "project" ? imported.project.packageName : undefined;
    }),
  );
  return [...project.dependencies, ...project.devDependencies]
    .filter((name) => !used.has(name) && !name.startsWith("@types/") && !usedByFolder.includes(name))
    .map((name) => `${project.root} declares ${name} and never imports it: remove it from package.json.`);
}

/** Faults with the same message become one, with all their files. */
function merge(faults: readonly Fault[]): Violation[] {
  const files = new Map<string, Set<string>>();
  for (const { message, file } of faults) files.set(message, (files.get(message) ?? new Set()).add(file));
  return [...files].map(([message, found]) => ({ message, files: [...found].sort() }));
}
