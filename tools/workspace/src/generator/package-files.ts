/** Exact versions of packages, as the rest of the workspace has them. @throws for one that nobody uses */
export type Versions = (...names: string[]) => Record<string, string>;

/** Versions from the package.json of all projects. */
export function versionsFrom(
  manifests: readonly {
    name?: string;
    version?: string;
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  }[],
): Versions {
  const known = new Map<string, string>();
  for (const { name, version, dependencies, devDependencies } of manifests) {
    if (name !== undefined && version !== undefined) known.set(name, version);
    for (const [key, value] of Object.entries({ ...dependencies, ...devDependencies })) known.set(key, value);
  }
  return (...names) =>
    Object.fromEntries(
      names.map((name) => {
        const version = known.get(name);
        if (version === undefined) throw new Error(`No project uses ${name}, which a service needs.`);
        return [name, version];
      }),
    );
}

export function packageJson(
  name: string,
  project: string,
  more: {
    /** If not given, the index alone. */
    exports?: Record<string, string>;
    deploy?: { port: number };
    dependencies: Record<string, string>;
    devDependencies?: Record<string, string>;
  },
): string {
  return json({
    name,
    version: "0.1.0",
    private: true,
    license: "Apache-2.0",
    type: "module",
    exports: { ".": "./src/index.ts" },
    nx: { name: project },
    ...more,
  });
}

export function tsconfig(top: string, include: readonly string[]): string {
  return `{\n  "extends": "${top}/tsconfig.base.json",\n  "include": [${include.map((folder) => `"${folder}"`).join(", ")}]\n}\n`;
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
