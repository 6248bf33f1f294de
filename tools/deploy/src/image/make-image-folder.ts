import { chmod, cp, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "../config.ts";
import { packageOf, type ServiceContracts } from "../contracts/contract.ts";
import { DeployError } from "../deploy-error.ts";
import type { ServiceHash } from "../hash/hash-services.ts";
import type { Service } from "../workspace/services.ts";
import { bundle } from "./bundle.ts";
import { imageFolder } from "./image-target.ts";
import { readMigrations } from "./migrations.ts";
import { makeSbom, sbomFault } from "./sbom.ts";
import { contractDigest, type ServiceManifest } from "./service-manifest.ts";
import { unhashed } from "./unhashed.ts";

/**
 * Makes all that a service's image consists of, and what has to be known of it, in dist/images/SERVICE. What was there is replaced once all of it is done.
 * @throws DeployError when something goes into the bundle that its hash doesn't cover
 */
export async function makeImageFolder(
  workspace: string,
  service: Service,
  { hash, inputs }: ServiceHash,
  contracts: ServiceContracts,
  config: Config,
): Promise<void> {
  const target = join(workspace, imageFolder(service.name));
  const folder = `${target}.making`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "contracts"), { recursive: true });
  await mkdir(join(folder, "data"), { recursive: true });

  const bundled = await bundle(workspace, `${service.root}/src/main.ts`, join(folder, "app"));
  const strangers = unhashed(workspace, inputs, bundled);
  if (strangers.length > 0) {
    throw new DeployError(
      `${service.name}'s bundle holds what its hash doesn't cover, so a change of it would never go out:\n${strangers.map((name) => `  ${name}\n`).join("")}` +
        'Name the project that it belongs to in "dependencies", or keep it out of folders for tests.',
    );
  }
  const sbom = `${JSON.stringify(makeSbom(workspace, service.name, hash, bundled.packages), null, 2)}\n`;
  const fault = await sbomFault(sbom);
  if (fault) throw new DeployError(`The bill of materials isn't valid CycloneDX: ${fault}`);
  await writeFile(join(folder, "sbom.cdx.json"), sbom);

  await cp(fileURLToPath(new URL("health.mjs", import.meta.url)), join(folder, "app/health.mjs"));
  await cp(fileURLToPath(new URL("Dockerfile", import.meta.url)), join(folder, "Dockerfile"));
  const env = {
    ...config.image.env,
    ...service.env,
    ...(service.port && { PORT: service.port }),
    HEALTH_PATH: config.image.health,
    BUILD_FILE: "/app/build.json",
  };
  await writeFile(
    join(folder, "app/image.env"),
    Object.entries(env)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );

  const manifest: ServiceManifest = {
    schema: 1,
    service: service.name,
    hash,
    contract: contractDigest(contracts),
    provides: contracts.provides
      ? { services: contracts.provides.services, descriptor: "contracts/provides.binpb" }
      : null,
    calls: contracts.calls.map(({ services, uses }) => {
      const name = packageOf(services[0] ?? "");
      return { services, descriptor: `contracts/calls-${name}.binpb`, uses: uses ?? null };
    }),
    migrations: await readMigrations(workspace, service),
    inputs,
  };
  if (contracts.provides) await writeFile(join(folder, "contracts/provides.binpb"), contracts.provides.descriptor);
  for (const [index, { descriptor }] of contracts.calls.entries()) {
    await writeFile(join(folder, manifest.calls[index]?.descriptor ?? ""), descriptor);
  }
  // In the image as well, where the service can read what it was built from.
  const built = {
    service: service.name,
    hash,
    contract: manifest.contract,
    calls: manifest.calls.map(({ services, uses }) => ({ services, uses })),
  };
  await writeFile(join(folder, "app/build.json"), `${JSON.stringify(built)}\n`);
  await writeFile(join(folder, "service.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await sameModes(folder);
  await rm(target, { recursive: true, force: true });
  await rename(folder, target);
}

/** The bytes of an image have the modes of its files in them, which depend on who checked them out. */
async function sameModes(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
}
