import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Ports } from "./ports.ts";
import type { Manifests, Target } from "./service-manifests.ts";

/** What an app's `deploy/manifests.ts` exports. */
type ManifestsModule = { manifests(target: Target): Manifests };

/** The services that have manifests, by name: apps with a `deploy/manifests.ts`. */
export function servicesIn(workspace: string): string[] {
  return readdirSync(join(workspace, "apps"))
    .filter((name) => existsSync(join(workspace, "apps", name, "deploy/manifests.ts")))
    .sort();
}

/** Where they listen, as their package.json say. */
export function portsIn(workspace: string): Ports {
  const ports = servicesIn(workspace).map((name) => {
    const manifest = JSON.parse(readFileSync(join(workspace, "apps", name, "package.json"), "utf8"));
    return [name, manifest.deploy?.port] as const;
  });
  return Object.fromEntries(ports.filter(([, port]) => port !== undefined));
}

export async function manifestsOf(workspace: string, service: string, target: Target): Promise<Manifests> {
  const file = pathToFileURL(join(workspace, "apps", service, "deploy/manifests.ts"));
  const module = (await import(file.href)) as ManifestsModule;
  return module.manifests(target);
}
