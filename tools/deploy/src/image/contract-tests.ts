import { existsSync, readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import type { Service } from "../workspace/services.ts";

/** A package's name, with its version: what else lies beside the tests isn't called so. */
const packageForm = /^([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*\.v\d\w*)\.ts$/;

/** The packages that a service has contract tests for, by their files: apps/encoder/contract/user.v1.ts. */
export function testedPackages(workspace: string, { root }: Service): string[] {
  const folder = join(workspace, root, "contract");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((file) => packageForm.exec(file)?.[1] ?? [])
    .sort();
}

/**
 * Bundles a service's contract tests, one program for each package, so that they can be run years later without its sources.
 * @returns the file of each program, by package
 */
export async function bundleContractTests(
  workspace: string,
  service: Service,
  folder: string,
): Promise<Map<string, string>> {
  const tests = new Map<string, string>();
  for (const name of testedPackages(workspace, service)) {
    await mkdir(folder, { recursive: true });
    await build({
      absWorkingDir: workspace,
      entryPoints: [join(workspace, service.root, "contract", `${name}.ts`)],
      outfile: join(folder, `${name}.mjs`),
      bundle: true,
      minify: true,
      format: "esm",
      platform: "node",
      target: "node24",
      legalComments: "none",
      logLevel: "silent",
      tsconfigRaw: { compilerOptions: { target: "esnext", verbatimModuleSyntax: true } },
      banner: {
        js: 'import { createRequire as __createRequire } from "node:module"; globalThis.require ??= __createRequire(import.meta.url);',
      },
    });
    tests.set(name, join(folder, `${name}.mjs`));
  }
  return tests;
}
