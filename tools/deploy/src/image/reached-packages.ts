import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** The workspace's own packages by name: where they are, and what their package.json exports. */
export type OwnPackages = ReadonlyMap<string, { root: string; exports: Record<string, unknown> | undefined }>;

/**
 * npm packages that a program's code reaches, following imports through the workspace's own packages from its entry on. A library that several services share may
 * declare a package that only some of them load: the encoder plans encodes with the library that has FFmpeg, and has no FFmpeg.
 *
 * It reads imports as text, to be quick enough for each time that Nx looks at the workspace. If it missed one, bundling fails (`unhashed`).
 */
export function reachedPackages(workspace: string, entry: string, own: OwnPackages): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file) || !existsSync(file)) return;
    seen.add(file);
    for (const specifier of specifiersIn(readFileSync(file, "utf8"))) {
      if (specifier.startsWith("node:")) continue;
      if (specifier.startsWith(".")) visit(resolve(dirname(file), specifier));
      else {
        const [name, subpath] = split(specifier);
        const project = own.get(name);
        if (project === undefined) packages.add(name);
        else for (const path of exported(project.exports, subpath)) visit(join(workspace, project.root, path));
      }
    }
  };
  visit(join(workspace, entry));
  return packages;
}

const forms = [
  // import … from "x", export … from "x"; types are gone when the code runs.
  /^\s*(?:import|export)\s+(?!type\s)[^;"']*?\bfrom\s*["']([^"']+)["']/gm,
  /^\s*\}\s*from\s*["']([^"']+)["']/gm,
  /^\s*import\s*["']([^"']+)["']/gm,
  /\b(?:import|require|import\.meta\.resolve)\(\s*["']([^"']+)["']/g,
  /\bcreateRequire\(import\.meta\.url\)(?:\.resolve)?\(\s*["']([^"']+)["']/g,
  // A program that is started by its file.
  /\bnew URL\(\s*["'](\.[^"']+)["']/g,
];

function specifiersIn(source: string): string[] {
  return forms.flatMap((form) => [...source.matchAll(form)].map(([, specifier]) => specifier ?? ""));
}

function split(specifier: string): [name: string, subpath: string] {
  const parts = specifier.split("/");
  const length = specifier.startsWith("@") ? 2 : 1;
  return [parts.slice(0, length).join("/"), [".", ...parts.slice(length)].join("/")];
}

/** The files that a subpath may stand for, whatever the conditions. */
function exported(exports: Record<string, unknown> | undefined, subpath: string): string[] {
  for (const [pattern, target] of Object.entries(exports ?? {})) {
    const [before = "", after] = pattern.split("*");
    if (after === undefined ? pattern !== subpath : !(subpath.startsWith(before) && subpath.endsWith(after))) continue;
    const star = after === undefined ? "" : subpath.slice(before.length, subpath.length - after.length);
    return leaves(target).map((path) => path.replaceAll("*", star));
  }
  return [];
}

function leaves(target: unknown): string[] {
  if (typeof target === "string") return [target];
  return typeof target === "object" && target !== null ? Object.values(target).flatMap(leaves) : [];
}
