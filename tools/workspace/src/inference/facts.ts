/** Every file that the inference looks at. */
export const factFiles = "{apps,libs,tools}/**/{package.json,src/main.ts,deploy/manifests.ts,bin/*,*.test.ts}";

/** What the inference knows of a project: only what the names of its files tell. */
export type ProjectFacts = {
  /** Folder, relative to the workspace: "apps/user". */
  root: string;
  /** It has src/main.ts and is no command (which has bin/): something that runs until it is stopped. */
  isServer: boolean;
  /** It has deploy/manifests.ts: what it needs in Kubernetes. */
  hasManifests: boolean;
  /** It has src/….test.ts. */
  hasTests: boolean;
  /** It has e2e/….test.ts: slow suites, apart from the quick ones. */
  hasEndToEndTests: boolean;
};

/** Groups files (relative to the workspace) by project: a project is a folder with a package.json. */
export function factsOf(files: readonly string[]): ProjectFacts[] {
  const roots = files
    .filter((file) => file.endsWith("/package.json"))
    .map((file) => file.slice(0, -"/package.json".length));
  return roots.sort().map((root) => {
    const holds = (test: (path: string) => boolean): boolean =>
      files.some((file) => file.startsWith(`${root}/`) && test(file.slice(root.length + 1)));
    return {
      root,
      isServer: holds((path) => path === "src/main.ts") && !holds((path) => path.startsWith("bin/")),
      hasManifests: holds((path) => path === "deploy/manifests.ts"),
      hasTests: holds((path) => path.startsWith("src/") && path.endsWith(".test.ts")),
      hasEndToEndTests: holds((path) => path.startsWith("e2e/") && path.endsWith(".test.ts")),
    };
  });
}
