import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { packageOf } from "../contracts/contract.ts";
import type { Service } from "../workspace/services.ts";

/** Where a service keeps its contract tests for a provider, by the package that it calls: apps/encoder/contract/user.v1.ts. */
export const contractTestFile = (root: string, packageName: string): string => `${root}/contract/${packageName}.ts`;

/**
 * Bundles a service's contract tests, one program for each package that it calls, so that they can be run years later without its sources.
 * @returns the file of each program, by package
 */
export async function bundleContractTests(
  workspace: string,
  service: Service,
  calls: readonly { services: string[] }[],
  folder: string,
): Promise<Map<string, string>> {
  const tests = new Map<string, string>();
  for (const { services } of calls) {
    const name = packageOf(services[0] ?? "");
    const source = join(workspace, contractTestFile(service.root, name));
    if (!existsSync(source)) continue;
    await mkdir(folder, { recursive: true });
    await build({
      absWorkingDir: workspace,
      entryPoints: [source],
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
