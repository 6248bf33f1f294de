import { execFileSync } from "node:child_process";
import type { Bundled } from "./bundle.ts";

/** What a bundle holds and its hash doesn't see. Generated files are seen by what they are made from: those are what git ignores. */
export function unhashed(workspace: string, inputs: Readonly<Record<string, string>>, bundled: Bundled): string[] {
  const files = bundled.files.filter((file) => !(`file ${file}` in inputs));
  const ignored = ignoredOf(workspace, files);
  const packages = new Set(
    Object.keys(inputs)
      .filter((name) => name.startsWith("package "))
      .map((name) => name.slice("package ".length).replace(/(?<=.)@[^@/]*$/, "")),
  );
  return [
    ...files.filter((file) => !ignored.has(file)),
    ...bundled.packages.filter(({ name }) => !packages.has(name)).map(({ name }) => `package ${name}`),
  ];
}

function ignoredOf(workspace: string, files: readonly string[]): Set<string> {
  if (files.length === 0) return new Set();
  try {
    const output = execFileSync("git", ["check-ignore", "--stdin"], {
      cwd: workspace,
      input: files.join("\n"),
      encoding: "utf8",
    });
    return new Set(output.split("\n"));
  } catch (error) {
    // 1: it ignores none of them.
    if ((error as { status?: number }).status === 1) return new Set();
    throw error;
  }
}
