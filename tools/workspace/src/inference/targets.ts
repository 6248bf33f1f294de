import type { ProjectConfiguration, TargetConfiguration } from "@nx/devkit";
import type { Contract } from "../contracts/contract.ts";
import { reportOf } from "../results/report.ts";
import type { ProjectFacts } from "./facts.ts";
import { manifests } from "./manifests-target.ts";

type Inputs = NonNullable<TargetConfiguration["inputs"]>;

/** The Nx project (everything but its name, which package.json gives) for what is known of a folder. */
export function inferProject(facts: ProjectFacts, contract: Contract | undefined): Omit<ProjectConfiguration, "root"> {
  return {
    ...(contract && { namedInputs: contractInputs(contract) }),
    targets: {
      ...(contract && { generate: generate(facts, contract) }),
      typecheck: typecheck(facts),
      lint: lint(facts, contract),
      ...(facts.hasTests && { test: vitest(facts, "test", "src") }),
      ...(facts.hasEndToEndTests && { e2e: endToEnd(facts) }),
      ...(facts.isServer && facts.root.startsWith("apps/") && { serve: serve(facts) }),
      ...(facts.hasManifests && facts.root.startsWith("apps/") && { manifests: manifests(facts) }),
      ...(facts.root === "tools/workspace" && { boundaries: boundaries(), breaking: breaking() }),
      ...(facts.root === "tools/conformance" && { conformance: conformance(facts) }),
      build: { executor: "nx:noop", dependsOn: ["^build", "generate", "typecheck"] },
    },
  };
}

/** Generated code is ignored by git, so Nx doesn't see it: whoever depends on it is hashed by the contract it is made from. */
function contractInputs(contract: Contract): Record<string, Inputs> {
  return {
    contract: [
      "{workspaceRoot}/proto/buf.yaml",
      `{workspaceRoot}/proto/buf.gen.${contract.name}.yaml`,
      ...protoFiles(contract.folders),
      ...protoFiles(contract.shared),
    ],
    production: [
      "{projectRoot}/**/*",
      "contract",
      { externalDependencies: ["@bufbuild/buf", "@bufbuild/protoc-gen-es"] },
    ],
    // What a service that uses this contract deploys of it (nx.json has the same name for all other projects).
    deployed: [
      "{projectRoot}/src/**/*",
      "contract",
      { json: "{projectRoot}/package.json", excludeFields: ["devDependencies", "scripts", "version"] },
      { externalDependencies: ["@bufbuild/buf", "@bufbuild/protoc-gen-es"] },
    ],
  };
}

function protoFiles(folders: string[]): string[] {
  return folders.map((folder) => `{workspaceRoot}/proto/${folder}/**/*.proto`);
}

function generate(facts: ProjectFacts, contract: Contract): TargetConfiguration {
  return {
    ...command(`node tools/workspace/src/contracts/run.mjs ${contract.name}`),
    cache: true,
    dependsOn: ["^generate"],
    inputs: [
      "contract",
      "{workspaceRoot}/tools/workspace/src/contracts/*",
      { externalDependencies: ["@bufbuild/buf", "@bufbuild/protoc-gen-es"] },
    ],
    outputs: [`{workspaceRoot}/${facts.root}/gen`],
  };
}

function typecheck(facts: ProjectFacts): TargetConfiguration {
  return {
    ...command(`tsc -p ${facts.root}`),
    cache: true,
    dependsOn: ["generate", "^generate"],
    inputs: [
      "default",
      "^production",
      "{workspaceRoot}/tsconfig.base.json",
      { externalDependencies: ["@typescript/native", "@types/node"] },
    ],
  };
}

/** The files at the top belong to no project; they are checked with the tools. */
function rootFiles(facts: ProjectFacts): string[] {
  return facts.root === "tools/workspace" ? ["nx.json", "package.json", "tsconfig.base.json", "vitest.config.ts"] : [];
}

function lint(facts: ProjectFacts, contract: Contract | undefined): TargetConfiguration {
  const own = contract?.folders.map((folder) => `proto/${folder}`) ?? [];
  const paths = own.map((folder) => `--path ${folder}`).join(" ");
  return {
    executor: "nx:run-commands",
    options: {
      cwd: "{workspaceRoot}",
      parallel: false,
      commands: [
        `biome check --error-on-warnings ${[facts.root, ...rootFiles(facts)].join(" ")}`,
        ...(contract ? [`buf lint proto ${paths}`, `buf format proto -d --exit-code ${paths}`] : []),
      ],
    },
    cache: true,
    inputs: [
      "default",
      ...(contract ? ["contract"] : []),
      ...rootFiles(facts).map((file) => `{workspaceRoot}/${file}`),
      "{workspaceRoot}/biome.json",
      "{workspaceRoot}/.gitignore",
      { externalDependencies: ["@biomejs/biome", ...(contract ? ["@bufbuild/buf"] : [])] },
    ],
  };
}

/** This project's tests are about the workspace: its graph, its contracts, its lock. */
const wholeWorkspace: Inputs = [
  "{workspaceRoot}/nx.json",
  "{workspaceRoot}/package.json",
  "{workspaceRoot}/package-lock.json",
  "{workspaceRoot}/proto/**/*",
  "{workspaceRoot}/{apps,libs}/**/package.json",
  "{workspaceRoot}/.github/**/*",
  "{workspaceRoot}/tools/deploy/bin/*",
];

/** These tests run services, without importing them. */
const servicesCode: Inputs = [
  "{workspaceRoot}/{apps,libs}/**/src/**/*.ts",
  "!{workspaceRoot}/{apps,libs}/**/src/**/*.test.ts",
];

function vitest(facts: ProjectFacts, suite: string, folder: string): TargetConfiguration {
  const result = reportOf(facts.root, suite);
  return {
    ...command(
      `vitest run --dir ${facts.root}/${folder} --reporter=default --reporter=json --outputFile.json=${result}`,
    ),
    cache: true,
    dependsOn: ["generate", "^generate"],
    inputs: [
      "default",
      "^production",
      "{workspaceRoot}/vitest.config.ts",
      "{workspaceRoot}/tsconfig.base.json",
      ...(facts.root === "tools/workspace" ? wholeWorkspace : ["{workspaceRoot}/samples/**/*"]),
      // Its tests read every contract, and the code that uses them.
      ...(facts.root === "tools/deploy"
        ? [...wholeWorkspace, "{workspaceRoot}/deploy.json", "{workspaceRoot}/apps/*/contract/*"]
        : []),
      ...(facts.root === "tools/deploy" || facts.root === "tools/upgrade" ? servicesCode : []),
      ...(facts.root === "tools/kubernetes"
        ? ["{workspaceRoot}/apps/*/{deploy/**/*,package.json}", "{workspaceRoot}/compose*"]
        : []),
      { externalDependencies: ["vitest", "node"] },
    ],
    outputs: [`{workspaceRoot}/${result}`],
  };
}

/**
 * They run what a person would run, so they depend on everything: not cached, and alone on the machine. They encode whole videos and install
 * whole copies: a test may take 20 minutes before it counts as hanging.
 */
function endToEnd(facts: ProjectFacts): TargetConfiguration {
  const quick = vitest(facts, "e2e", "e2e");
  return {
    ...quick,
    ...command(`${quick.options.command} --test-timeout=1200000 --hook-timeout=1200000`),
    cache: false,
    parallelism: false,
  };
}

/** The prefix labels each line; with it, Nx also leaves its pseudo terminals alone, which swallow Ctrl-C when there are several. */
function serve(facts: ProjectFacts): TargetConfiguration {
  const name = facts.root.slice("apps/".length);
  return {
    executor: "nx:run-commands",
    options: {
      commands: [{ command: `node tools/workspace/src/serve/main.ts ${facts.root}/src/main.ts`, prefix: `[${name}]` }],
      parallel: true,
      cwd: "{workspaceRoot}",
    },
    continuous: true,
    cache: false,
    dependsOn: ["generate", "^generate"],
  };
}

function boundaries(): TargetConfiguration {
  return {
    ...command("node tools/workspace/src/boundaries/main.ts"),
    cache: false,
    dependsOn: [{ target: "generate", projects: ["proto-*"] }],
  };
}

/** Connect's conformance suite against the RPC library: minutes of a machine, and Go. */
function conformance(facts: ProjectFacts): TargetConfiguration {
  return {
    ...command(`node ${facts.root}/src/main.ts --report ${reportOf(facts.root, "conformance")}`),
    cache: false,
    parallelism: false,
    dependsOn: ["generate", "^generate"],
  };
}

/** Every contract against those of the base, NX_BASE as for `nx affected`: what breaks a caller is named. */
function breaking(): TargetConfiguration {
  return {
    executor: "nx:run-commands",
    options: { command: `buf breaking --against "../.git#ref=\${NX_BASE:-main},subdir=proto"`, cwd: "proto" },
    cache: false,
  };
}

function command(line: string): TargetConfiguration {
  return { executor: "nx:run-commands", options: { command: line, cwd: "{workspaceRoot}" } };
}
