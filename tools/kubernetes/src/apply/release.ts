import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { environments } from "../../deploy/environments.ts";
import { renderFiles } from "../files.ts";
import { placeholdersIn } from "../placeholders.ts";
import type { KubernetesObject } from "../rules.ts";
import type { Release } from "./apply.ts";

/** Renders a service with its image into `folder`, and says what of it is to be waited for. @throws while the environment has an example's addresses */
export async function prepareRelease(options: {
  workspace: string;
  service: string;
  environment: string;
  image: string;
  folder: string;
}): Promise<{ release: Release; namespace: string }> {
  const { workspace, service, environment, image, folder } = options;
  const found = Object.values(environments).find(({ name }) => name === environment);
  const placeholders = placeholdersIn(found);
  if (placeholders.length > 0) {
    throw new Error(
      `${environment} has addresses that are only an example's: ${placeholders.join(", ")}. Put in yours in tools/kubernetes/deploy/environments.ts, then run npx kinora-manifests. Nothing was applied.`,
    );
  }
  const files = await renderFiles({ workspace, services: [service], environment, images: { [service]: image } });
  for (const { path, text } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const objects = files.flatMap(({ text }) => parseAllDocuments(text).map((part): KubernetesObject => part.toJS()));
  const named = (kind: string) => objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);
  const fileNamed = (name: string) => files.find(({ path }) => path.endsWith(`/${name}`))?.path;
  const before = fileNamed("migrate.yaml");
  const [job] = named("Job");
  const namespace = objects[0]?.metadata.namespace;
  if (namespace === undefined) throw new Error(`${service} has no objects for ${environment}.`);
  return {
    namespace,
    release: {
      ...(before !== undefined && { before: join(folder, before) }),
      ...(job !== undefined && { job }),
      objects: join(folder, fileNamed("service.yaml") ?? ""),
      deployments: named("Deployment"),
      scaled: named("ScaledObject"),
    },
  };
}
