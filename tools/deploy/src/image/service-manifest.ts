import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServiceContracts } from "../contracts/contract.ts";
import { DeployError } from "../deploy-error.ts";
import { imageFolder } from "./image-target.ts";
import type { Migration } from "./migrations.ts";

/** `service.json` beside a bundle: what it is. Paths are relative to it. */
export type ServiceManifest = {
  schema: 1;
  service: string;
  /** NX_TASK_HASH. */
  hash: string;
  /** SHA-256 of all its contracts. */
  contract: string;
  provides: { services: string[]; descriptor: string } | null;
  calls: { services: string[]; descriptor: string; uses: string[] | null }[];
  migrations: Migration[] | null;
  inputs: Record<string, string>;
};

/** @throws DeployError when the service has no bundle */
export function readServiceManifest(workspace: string, service: string): ServiceManifest {
  const path = join(workspace, imageFolder(service), "service.json");
  if (!existsSync(path)) throw new DeployError(`${service} isn't bundled. Run: npx nx image ${service}`);
  return JSON.parse(readFileSync(path, "utf8"));
}

/** One digest for what a service serves and what it was built to call. */
export function contractDigest({ provides, calls }: ServiceContracts): string {
  const hash = createHash("sha256");
  for (const part of [...(provides ? [provides] : []), ...calls]) {
    hash.update(`${part.services.join(" ")}\0${part.descriptor.length}\0`).update(part.descriptor);
  }
  return hash.digest("hex");
}
