import { cp, mkdir, writeFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join, relative, resolve } from "node:path";
import { type BuildResult, build, type Metafile, type Plugin } from "esbuild";
import { toAscii } from "./ascii.ts";
import { type Assets, entryPlugin, type Programs } from "./entry-plugin.ts";
import { httpNamespace, httpPlugin } from "./http-plugin.ts";
import { findPackage, type InstalledPackage, nativePackages, packageOfFile } from "./packages.ts";

/** What went into a bundle. */
export type Bundled = {
  /** Files of the workspace, relative to it, sorted. */
  files: string[];
  /** npm packages, by name and version. */
  packages: InstalledPackage[];
};

/**
 * Bundles a program with all that it loads into a few files in `folder`: `main.js`, its chunks, the programs that it starts, and in
 * node_modules just the machine code. The same sources make the same bytes, wherever the workspace lies.
 */
export async function bundle(workspace: string, entry: string, folder: string): Promise<Bundled> {
  const programs: Programs = new Map([["main", join(workspace, entry)]]);
  const assets: Assets = new Map();
  // A program can start programs that no earlier round has seen.
  let bundled: Output;
  for (let known = 0; ; ) {
    known = programs.size;
    bundled = await runBundler(workspace, folder, programs, assets);
    if (programs.size === known) break;
  }
  const { metafile, outputFiles } = bundled;
  await mkdir(folder, { recursive: true });
  for (const { path, text } of outputFiles) await writeFile(path, toAscii(text));

  const sources = Object.keys(metafile.inputs).filter((file) => !file.startsWith(`${httpNamespace}:`));
  const inputs = [...sources.map((file) => resolve(workspace, file)), ...assets.values()];
  const packages = distinct(inputs.map(packageOfFile));
  const native = nativePackages(packages);
  for (const dependency of native) {
    await cp(dependency.folder, join(folder, "node_modules", dependency.name), { recursive: true, dereference: true });
  }
  if (assets.size > 0) await mkdir(join(folder, "assets"), { recursive: true });
  for (const [name, file] of assets) await cp(file, join(folder, "assets", name));
  // The chunks are modules, whatever lies above them.
  await writeFile(join(folder, "package.json"), '{"type":"module"}\n');
  return {
    files: inputs
      .filter((file) => packageOfFile(file) === undefined)
      .map((file) => relative(workspace, file))
      .sort(),
    packages: [...packages, ...native].sort((a, b) => `${a.name}@${a.version}`.localeCompare(`${b.name}@${b.version}`)),
  };
}

type Output = BuildResult & { metafile: Metafile; outputFiles: { path: string; text: string }[] };

function runBundler(workspace: string, folder: string, programs: Programs, assets: Assets): Promise<Output> {
  return build({
    absWorkingDir: workspace,
    entryPoints: [...programs].sort().map(([out, source]) => ({ in: source, out })),
    outdir: folder,
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    chunkNames: "chunk-[hash]",
    legalComments: "none",
    metafile: true,
    logLevel: "silent",
    tsconfigRaw: { compilerOptions: { target: "esnext", verbatimModuleSyntax: true } },
    // Packages in CommonJS call `require` for Node's own modules, and for machine code.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; globalThis.require ??= __createRequire(import.meta.url);',
    },
    plugins: [httpPlugin(), nativePlugin(), entryPlugin(workspace, programs, assets)],
  });
}

/** Leaves packages with machine code outside, and those that a package tries and does without: also if some other project happens to have them. */
function nativePlugin(): Plugin {
  return {
    name: "native",
    setup(builder) {
      builder.onResolve({ filter: /^(@[^/]+\/)?[^./][^:]*$/ }, ({ path, importer, kind }) => {
        const name = path.split("/", path.startsWith("@") ? 2 : 1).join("/");
        const found = importer === "" ? undefined : findPackage(name, importer);
        if (found?.isNative) return { path, external: true };
        const by = kind === "require-call" ? packageOfFile(importer) : undefined;
        if (by && name !== by.name && !isBuiltin(name) && (found === undefined || !names(by, name))) {
          return { path, external: true };
        }
        return undefined;
      });
    },
  };
}

function names({ dependencies, optionalDependencies, peerDependencies }: InstalledPackage, name: string): boolean {
  return [dependencies, optionalDependencies, peerDependencies].some((list) => list.includes(name));
}

function distinct(packages: readonly (InstalledPackage | undefined)[]): InstalledPackage[] {
  return [...new Map(packages.filter((entry) => entry !== undefined).map((entry) => [entry.folder, entry])).values()];
}
