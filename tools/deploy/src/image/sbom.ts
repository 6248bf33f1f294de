import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import type { InstalledPackage } from "./packages.ts";

type Lock = { packages?: Record<string, { integrity?: string; resolved?: string }> };

/**
 * A CycloneDX 1.6 bill of materials: every npm package that a bundle holds, with the checksum that the lock has of it.
 * It has neither a time nor a random serial number: the same image has the same bill.
 */
export function makeSbom(
  workspace: string,
  service: string,
  hash: string,
  packages: readonly InstalledPackage[],
): object {
  const lock: Lock = JSON.parse(readFileSync(join(workspace, "package-lock.json"), "utf8"));
  const components = packages.map((entry) => {
    const purl = packageUrl(entry);
    const digest = checksum(lock.packages?.[relative(workspace, entry.folder).replaceAll("\\", "/")]?.integrity);
    return {
      type: "library",
      "bom-ref": purl,
      ...splitName(entry.name),
      version: entry.version,
      ...(digest && { hashes: [digest] }),
      ...(entry.license && { licenses: [{ expression: entry.license }] }),
      purl,
    };
  });
  // A package may lie twice in node_modules in the same version.
  const unique = [...new Map(components.map((component) => [component.purl, component])).values()];
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: { type: "application", "bom-ref": service, name: service, version: hash },
    },
    components: unique,
    dependencies: [
      { ref: service, dependsOn: unique.map(({ purl }) => purl) },
      ...unique.map(({ purl }) => ({ ref: purl })),
    ],
  };
}

/** What CycloneDX's own schema has against a bill, or undefined. */
export async function sbomFault(text: string): Promise<string | undefined> {
  const error = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text);
  return error === null ? undefined : JSON.stringify(error);
}

function splitName(name: string): { group?: string; name: string } {
  const [group, rest] = name.split("/");
  return rest === undefined ? { name } : { group: group ?? "", name: rest };
}

/** https://github.com/package-url/purl-spec: the "@" of a scope is escaped. */
function packageUrl({ name, version }: InstalledPackage): string {
  return `pkg:npm/${name.replace("@", "%40")}@${encodeURIComponent(version)}`;
}

/** "sha512-<base64>" of the lock as CycloneDX writes it. */
function checksum(integrity: string | undefined): { alg: string; content: string } | undefined {
  const [, bits, base64] = /^sha(\d+)-(\S+)$/.exec(integrity ?? "") ?? [];
  if (bits === undefined || base64 === undefined) return undefined;
  return { alg: `SHA-${bits}`, content: Buffer.from(base64, "base64").toString("hex") };
}
