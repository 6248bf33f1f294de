import { environments } from "../deploy/environments.ts";
import { platformManifests } from "../deploy/manifests.ts";
import type { Manifest } from "./manifest.ts";
import { renderYaml } from "./render.ts";
import { faultsOf, type KubernetesObject } from "./rules.ts";
import type { Target } from "./service-manifests.ts";
import { manifestsOf, portsIn, servicesIn } from "./services.ts";

/** A rendered file: its path below the workspace, and what belongs in it. */
export type RenderedFile = { path: string; text: string };

/** What to render: all services and environments unless it names some, with the images that it names. */
export type RenderOptions = {
  workspace: string;
  services?: readonly string[];
  environment?: string;
  /** By service. One that isn't named gets a tag that no registry has, so that nobody runs it by mistake. */
  images?: Readonly<Record<string, string>>;
};

/** @throws with a sentence for the person when a service or an environment doesn't exist, or an object is wrong */
export async function renderFiles(options: RenderOptions): Promise<RenderedFile[]> {
  const { workspace, images = {} } = options;
  const known = servicesIn(workspace);
  const services = options.services?.length ? options.services : known;
  for (const name of [...services, ...Object.keys(images)]) {
    if (!known.includes(name)) throw new Error(`There is no service ${name}. There are: ${known.join(", ")}.`);
  }
  const ports = portsIn(workspace);
  const files: RenderedFile[] = [];
  const faults: string[] = [];
  for (const environment of environmentsNamed(options.environment)) {
    const { name, registry } = environment;
    if (!options.services?.length) {
      files.push({
        path: `tools/kubernetes/deploy/${name}/platform.yaml`,
        text: renderYaml(platformManifests(environment)),
      });
    }
    const objects: Manifest[] = [];
    // Of all services, as they refer to each other; also when only some are asked for.
    for (const service of known) {
      const image = images[service] ?? `${registry}/${service}:unreleased`;
      const { before, objects: manifests } = await manifestsOf(workspace, service, { environment, image, ports });
      objects.push(...before, ...manifests);
      if (!services.includes(service)) continue;
      const folder = `apps/${service}/deploy/${name}`;
      if (before.length > 0) files.push({ path: `${folder}/migrate.yaml`, text: renderYaml(before) });
      files.push({ path: `${folder}/service.yaml`, text: renderYaml(manifests) });
    }
    faults.push(...faultsOf(objects.map(toObject)).map((fault) => `${name}: ${fault}`));
  }
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return files;
}

function environmentsNamed(name: string | undefined): Target["environment"][] {
  const all = Object.values(environments);
  const named = all.filter((environment) => name === undefined || environment.name === name);
  if (named.length === 0) {
    throw new Error(
      `There is no environment ${name}. There are: ${all.map((environment) => environment.name).join(", ")}.`,
    );
  }
  return named;
}

/** As it will be written: plain data. */
function toObject(manifest: Manifest): KubernetesObject {
  return JSON.parse(JSON.stringify(manifest.toJSON()));
}
