import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, relative, resolve } from "node:path";
import type { Plugin } from "esbuild";

/** Files that a bundle needs beside its code, found on the way: how it is named there, and where it comes from. */
export type Assets = Map<string, string>;

/** Programs that the code starts by their file, found on the way: the name of the output (without .js), and the source. */
export type Programs = Map<string, string>;

/**
 * esbuild follows imports, and no other way in which a program finds its own files. This rewrites the four that our code may use:
 * - `new URL` of a .ts file, from `import.meta.url`: another program, bundled as an entry of its own;
 * - `new URL` of any other file: copied into `assets/`;
 * - `import.meta.resolve` of a package's file: copied into `assets/`;
 * - `createRequire` from `import.meta.url`, called at once: a package that is loaded late, bundled.
 */
export function entryPlugin(workspace: string, programs: Programs, assets: Assets): Plugin {
  return {
    name: "entries",
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (path.includes("/node_modules/")) return undefined;
        const source = await readFile(path, "utf8");
        const contents = source
          .replace(/new URL\(\s*"([^":]+\.\w+)",\s*import\.meta\.url,?\s*\)/g, (_all, given: string) => {
            const file = resolve(dirname(path), given);
            if (!file.endsWith(".ts")) return addAsset(assets, relative(workspace, file), file);
            const name = programName(file);
            programs.set(name, file);
            return `new URL("./${name}.js", import.meta.url)`;
          })
          .replace(/import\.meta\.resolve\(\s*"([^"]+)",?\s*\)/g, (_all, specifier: string) => {
            return `${addAsset(assets, specifier, createRequire(path).resolve(specifier))}.href`;
          })
          .replace(/createRequire\(import\.meta\.url\)\(\s*("[^"]+"),?\s*\)/g, "require($1)");
        return { contents, loader: "ts" };
      });
    },
  };
}

/** The code for the address of a copied file; `identity` tells files of one name apart, and is the same on every machine. */
function addAsset(assets: Assets, identity: string, file: string): string {
  const name = `${createHash("sha256").update(identity).digest("hex").slice(0, 8)}-${basename(file)}`;
  assets.set(name, file);
  return `new URL("./assets/${name}", import.meta.url)`;
}

/** "child-main" for …/child/main.ts: flat, since every output finds the others beside itself. */
function programName(file: string): string {
  return `${basename(dirname(file))}-${basename(file, ".ts")}`;
}
