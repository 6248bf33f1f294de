import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";

/** An npm package as it lies on the disk. */
export type InstalledPackage = {
  name: string;
  version: string;
  license: string | undefined;
  /** Absolute. */
  folder: string;
  optionalDependencies: string[];
  dependencies: string[];
  /** What it expects its user to bring. */
  peerDependencies: string[];
  /** It is built for some platforms only: it holds machine code. */
  isNative: boolean;
};

/** The package that a file belongs to; undefined for a file outside node_modules. */
export function packageOfFile(file: string): InstalledPackage | undefined {
  const marker = `${sep}node_modules${sep}`;
  const at = file.lastIndexOf(marker);
  if (at < 0) return undefined;
  const [first = "", second = ""] = file.slice(at + marker.length).split(sep);
  return readPackage(file.slice(0, at + marker.length) + (first.startsWith("@") ? join(first, second) : first));
}

/** A package that `from` (a file) sees under this name; undefined when it isn't installed. */
export function findPackage(name: string, from: string): InstalledPackage | undefined {
  for (const folder of createRequire(from).resolve.paths(name) ?? []) {
    if (existsSync(join(folder, name, "package.json"))) return readPackage(realpathSync(join(folder, name)));
  }
  return undefined;
}

/** The machine code that these packages bring: their installed platform packages. They can't be bundled. */
export function nativePackages(packages: readonly InstalledPackage[]): InstalledPackage[] {
  const found = new Map<string, InstalledPackage>();
  for (const { folder, optionalDependencies, dependencies } of packages) {
    for (const name of [...optionalDependencies, ...dependencies]) {
      const dependency = findPackage(name, join(folder, "package.json"));
      if (dependency?.isNative) found.set(name, dependency);
    }
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

function readPackage(folder: string): InstalledPackage | undefined {
  const path = join(folder, "package.json");
  // Some packages have folders with a package.json of their own, which only says what kind of module it is.
  if (!existsSync(path)) return undefined;
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  return {
    name: manifest.name,
    version: manifest.version,
    license: typeof manifest.license === "string" ? manifest.license : undefined,
    folder: dirname(path),
    optionalDependencies: Object.keys(manifest.optionalDependencies ?? {}),
    dependencies: Object.keys(manifest.dependencies ?? {}),
    peerDependencies: Object.keys(manifest.peerDependencies ?? {}),
    isNative: manifest.os !== undefined || manifest.cpu !== undefined,
  };
}
