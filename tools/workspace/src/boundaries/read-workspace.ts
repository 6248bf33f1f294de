import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createProjectGraphAsync, type ProjectGraph } from "@nx/devkit";
import ts from "typescript";
import type { Import, Project, Workspace } from "./workspace.ts";

type Manifest = {
  name: string;
  workspaces?: string[];
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
};

/** @throws when Nx can't compute the graph, or only a part of it */
export async function readWorkspace(root: string): Promise<Workspace> {
  const graph = await createProjectGraphAsync({ exitOnError: false });
  const manifest = readManifest(root, "package.json");
  return {
    projects: Object.values(graph.nodes).map((node) => readProject(root, node.name, node.data.root)),
    edges: edgesBetweenProjects(graph),
    imports: Object.values(graph.nodes).flatMap((node) => readImports(root, node.data.root)),
    folders: (manifest.workspaces ?? [])
      .flatMap((pattern) => globSync(`${pattern}/package.json`, { cwd: root }))
      .map((file) => file.slice(0, -"/package.json".length)),
    provided: Object.keys(manifest.devDependencies ?? {}),
  };
}

function edgesBetweenProjects(graph: ProjectGraph): Workspace["edges"] {
  return Object.values(graph.dependencies)
    .flat()
    .filter((edge) => edge.source in graph.nodes && edge.target in graph.nodes)
    .map((edge) => ({ from: edge.source, to: edge.target }));
}

function readProject(root: string, name: string, folder: string): Project {
  const manifest = readManifest(root, join(folder, "package.json"));
  return {
    name,
    root: folder,
    packageName: manifest.name,
    dependencies: Object.keys(manifest.dependencies ?? {}),
    devDependencies: Object.keys(manifest.devDependencies ?? {}),
  };
}

/** Also of generated files: they are what a contract's library consists of. */
function readImports(root: string, folder: string): Import[] {
  const files = globSync(`${folder}/**/*.{ts,mts,js,mjs}`, {
    cwd: root,
    exclude: (path) => path === "node_modules" || path === "dist",
  });
  return files.flatMap((file) =>
    specifiersOf(readFileSync(join(root, file), "utf8")).map((specifier) => ({ file, specifier })),
  );
}

/** What a file imports, or finds by `import.meta.resolve`. */
export function specifiersOf(source: string): string[] {
  const imported = ts.preProcessFile(source, true, true).importedFiles.map(({ fileName }) => fileName);
  const resolved = [...source.matchAll(/\bimport\.meta\.resolve\(\s*"([^"]+)"/g)].map(
    ([, specifier = ""]) => specifier,
  );
  return [...imported, ...resolved];
}

function readManifest(root: string, path: string): Manifest {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}
