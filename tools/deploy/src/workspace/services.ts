import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DeployError } from "../deploy-error.ts";
import type { Manifest } from "../image/production-closure.ts";

/** An app that is deployed by itself. */
export type Service = {
  /** Name of its Nx project. */
  name: string;
  /** Folder, relative to the workspace. */
  root: string;
  /** The port that its image listens on. */
  port: number | undefined;
  /** What its image's environment has beside that of all images. */
  env: Readonly<Record<string, string>>;
  /** The module that exports the migrations of its database. */
  migrations: string | undefined;
};

/** Every package.json of the workspace by its folder, found without Nx: the plan has to know all services when there is no graph. */
export function readManifests(workspace: string): Map<string, Manifest> {
  const { workspaces = [] } = readManifest(workspace, ".") as { workspaces?: string[] };
  const folders = globSync(workspaces, { cwd: workspace }).filter((folder) =>
    existsSync(join(workspace, folder, "package.json")),
  );
  return new Map(folders.sort().map((folder) => [folder, readManifest(workspace, folder)]));
}

/** The apps with a `deploy` key, by name. @throws DeployError when a package.json can't be read */
export function findServices(workspace: string): Service[] {
  return [...readManifests(workspace)]
    .filter(([, manifest]) => manifest.deploy !== undefined)
    .map(([root, { nx, name, deploy }]) => ({
      name: nx?.name ?? name ?? root,
      root,
      port: deploy?.port,
      env: deploy?.env ?? {},
      migrations: deploy?.migrations,
    }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** @throws DeployError with the names that there are */
export function findService(workspace: string, name: string): Service {
  const services = findServices(workspace);
  const service = services.find((candidate) => candidate.name === name);
  if (service) return service;
  const names = services.map((candidate) => candidate.name).join(", ") || "none";
  throw new DeployError(`There is no service "${name}". Services (package.json has a "deploy" key): ${names}.`);
}

/** The closest folder upwards that has an nx.json. @throws DeployError when there is none */
export function findWorkspace(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "nx.json"))) return folder;
    if (folder === dirname(folder))
      throw new DeployError(`${from} isn't in an Nx workspace: there is no nx.json above.`);
  }
}

function readManifest(workspace: string, folder: string): Manifest {
  try {
    return JSON.parse(readFileSync(join(workspace, folder, "package.json"), "utf8"));
  } catch (error) {
    throw new DeployError(`${join(folder, "package.json")} can't be read: ${(error as Error).message}`);
  }
}
