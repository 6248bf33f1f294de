import { type Imported, isTestFile, resolveImport } from "./imported.ts";
import { matches, owners, ruleFor } from "./rules.ts";
import type { Project, Workspace } from "./workspace.ts";

/** One broken rule, and the files that break it. */
export type Violation = { message: string; files: string[] };

/**
 * Every broken boundary of the workspace; none means that all is well.
 * Whatever makes the check blind is a violation too: an empty graph, one without edges, one that lacks what the files show.
 */
export function findViolations(workspace: Workspace): Violation[] {
  const blind = blindness(workspace);
  return blind.length > 0 ? blind : workspace.projects.flatMap((project) => violationsOf(project, workspace));
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

function violationsOf(project: Project, workspace: Workspace): Violation[] {
  const rule = ruleFor(project.root);
  if (!rule) {
    const message = `${project.root} has no place in tools/workspace/src/boundaries/rules.ts: say there what it may import.`;
    return [{ message, files: [`${project.root}/package.json`] }];
  }
  const found = findings();
  const uses = usesOf(project, workspace);
  const used = new Set<Project>();

  for (const { file, imported } of uses) {
    if (imported.kind === "path") {
      found.add(`${project.root} reaches into ${imported.path} by a path: import the package by its name.`, file);
    }
    if (imported.kind === "npm") {
      const { name } = imported;
      if (rule.npm && !rule.npm.includes(name)) {
        found.add(`${project.root} may not import ${name}: of npm's packages only ${rule.npm.join(", ")}.`, file);
      }
      const owner = owners[name];
      if (owner !== undefined && owner !== project.root) {
        found.add(`${project.root} may not import ${name}: only ${owner} may.`, file);
      }
      for (const message of undeclared(project, name, file, workspace.provided)) found.add(message, file);
    }
    if (imported.kind === "project") {
      const { packageName } = imported.project;
      used.add(imported.project);
      for (const message of undeclared(project, packageName, file, [])) found.add(message, file);
      if (!workspace.edges.some((edge) => edge.from === project.name && edge.to === imported.project.name)) {
        found.add(
          `The Nx project graph lacks the edge from ${project.name} to ${imported.project.name}: it can't be trusted.`,
          file,
        );
      }
    }
  }

  for (const target of neighbours(project, workspace)) {
    if (!rule.mayImport.some((pattern) => matches(pattern, target.root))) {
      const files = uses.filter(({ imported }) => imported.kind === "project" && imported.project === target);
      const message = `${project.root} may not import ${target.root}. It may import: ${rule.mayImport.join(", ") || "no project"}.`;
      for (const file of files.length > 0 ? files.map((use) => use.file) : [`${project.root}/package.json`]) {
        found.add(message, file);
      }
    }
    if (declares(project, target.packageName) && !used.has(target)) {
      found.add(
        `${project.root} declares ${target.packageName} and never imports it: remove it from package.json.`,
        `${project.root}/package.json`,
      );
    }
  }
  return found.list();
}

type Use = { file: string; imported: Imported };

function usesOf(project: Project, { imports, projects }: Workspace): Use[] {
  return imports
    .filter(({ file }) => file.startsWith(`${project.root}/`))
    .map((entry) => ({ file: entry.file, imported: resolveImport(project, entry, projects) }));
}

/** Projects that this one has to do with: an edge in the graph, or a line in package.json. */
function neighbours(project: Project, { edges, projects }: Workspace): Project[] {
  return projects.filter(
    (other) =>
      other !== project &&
      (declares(project, other.packageName) ||
        edges.some((edge) => edge.from === project.name && edge.to === other.name)),
  );
}

function undeclared(project: Project, name: string, file: string, provided: readonly string[]): string[] {
  if (project.dependencies.includes(name)) return [];
  const message = `${project.root} imports ${name}, which its package.json doesn't name in dependencies`;
  if (!isTestFile(project, file)) return [`${message}.`];
  if (project.devDependencies.includes(name) || provided.includes(name)) return [];
  return [`${message} or devDependencies.`];
}

function declares(project: Project, packageName: string): boolean {
  return project.dependencies.includes(packageName) || project.devDependencies.includes(packageName);
}

/** Collects violations: those with the same message become one, with all their files. */
function findings() {
  const files = new Map<string, Set<string>>();
  return {
    add(message: string, file: string): void {
      files.set(message, (files.get(message) ?? new Set()).add(file));
    },
    list: (): Violation[] => [...files].map(([message, found]) => ({ message, files: [...found].sort() })),
  };
}
