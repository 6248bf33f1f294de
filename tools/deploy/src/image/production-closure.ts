/** What is read of a package.json. */
export type Manifest = {
  name?: string;
  nx?: { name?: string };
  exports?: Record<string, unknown>;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  deploy?: { port?: number; env?: Record<string, string>; migrations?: string };
};

/** Everything that a deployed app consists of, followed through `dependencies`; what is there for development only is left out. */
export type Closure = {
  /** Names of the other Nx projects, sorted. */
  projects: string[];
  /** Names of npm packages that one of them declares, sorted. */
  packages: string[];
};

/**
 * Why the manifests and not the edges of the Nx graph: an edge doesn't tell a test's import from a deployed one, and a test library's change
 * would send everything out. The bundler fails if it meets a file that isn't in here.
 */
export function productionClosure(manifests: ReadonlyMap<string, Manifest>, root: string): Closure {
  const byName = new Map([...manifests.values()].map((manifest) => [manifest.name, manifest]));
  const projects = new Map<string, Manifest>();
  const packages = new Set<string>();
  const visit = (manifest: Manifest | undefined): void => {
    for (const name of Object.keys({ ...manifest?.dependencies, ...manifest?.optionalDependencies })) {
      const project = byName.get(name);
      if (project === undefined) packages.add(name);
      else if (!projects.has(name)) {
        projects.set(name, project);
        visit(project);
      }
    }
  };
  visit(manifests.get(root));
  return {
    projects: [...projects].map(([name, { nx }]) => nx?.name ?? name).sort(),
    packages: [...packages].sort(),
  };
}
