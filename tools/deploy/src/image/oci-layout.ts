import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** How often a container's health is asked, as Docker's image configuration has it; times in nanoseconds. */
export type HealthCheck = { Test: string[]; Interval: number; Timeout: number; StartPeriod: number; Retries: number };

type Descriptor = { digest: string; size: number };
type Index = { manifests: Descriptor[] };
type Manifest = { config: Descriptor };

/**
 * Puts a health check into the one image of an OCI layout (a folder), and returns the digest that the image has then. OCI's image specification has no
 * health checks, so buildah drops them; Docker and its like write and read them in this very place. buildah's other format has them, and a random host name as well.
 */
export async function addHealthCheck(layout: string, check: HealthCheck): Promise<string> {
  const index: Index = JSON.parse(await readFile(join(layout, "index.json"), "utf8"));
  const [entry] = index.manifests;
  if (entry === undefined || index.manifests.length !== 1) throw new Error(`${layout} doesn't hold one image.`);
  const manifest: Manifest = JSON.parse(await readFile(blob(layout, entry.digest), "utf8"));
  const config = JSON.parse(await readFile(blob(layout, manifest.config.digest), "utf8"));
  config.config = { ...config.config, Healthcheck: check };
  Object.assign(manifest.config, await replace(layout, manifest.config.digest, config));
  Object.assign(entry, await replace(layout, entry.digest, manifest));
  await writeFile(join(layout, "index.json"), JSON.stringify(index));
  return entry.digest;
}

async function replace(layout: string, digest: string, value: object): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(value));
  const replaced = { digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, size: bytes.length };
  await rm(blob(layout, digest));
  await writeFile(blob(layout, replaced.digest), bytes);
  return replaced;
}

const blob = (layout: string, digest: string): string => join(layout, "blobs", digest.replace(":", "/"));
