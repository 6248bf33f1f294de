import { describe, expect, it } from "vitest";
import { factsOf } from "./facts.ts";
import { inferProject } from "./targets.ts";

const nothing = { isServer: false, hasManifests: false, hasTests: false, hasEndToEndTests: false };

describe("what is known of a project", () => {
  it("comes from the names of its files", () => {
    const files = [
      "apps/user/package.json",
      "apps/user/src/main.ts",
      "apps/user/deploy/manifests.ts",
      "apps/user/e2e/login.test.ts",
      "libs/user/package.json",
      "libs/user/src/session/lease.test.ts",
      "libs/proto/user/package.json",
      "apps/cli/package.json",
      "apps/cli/src/main.ts",
      "apps/cli/bin/kinora.mjs",
    ];
    expect(factsOf(files)).toEqual([
      { root: "apps/cli", ...nothing },
      { root: "apps/user", isServer: true, hasManifests: true, hasTests: false, hasEndToEndTests: true },
      { root: "libs/proto/user", ...nothing },
      { root: "libs/user", ...nothing, hasTests: true },
    ]);
  });
});

describe("inferred targets", () => {
  const targetsOf = (root: string, facts = {}) => inferProject({ root, ...nothing, ...facts }, undefined).targets ?? {};

  it.each([
    ["a library without tests", "libs/x", {}, ["build", "lint", "typecheck"]],
    ["a library with tests", "libs/x", { hasTests: true }, ["build", "lint", "test", "typecheck"]],
    ["an app", "apps/x", { isServer: true }, ["build", "lint", "serve", "typecheck"]],
    ["an app that is a command", "apps/x", {}, ["build", "lint", "typecheck"]],
    [
      "an app in Kubernetes",
      "apps/x",
      { isServer: true, hasManifests: true },
      ["build", "lint", "manifests", "serve", "typecheck"],
    ],
    ["a library with a main.ts", "libs/x", { isServer: true }, ["build", "lint", "typecheck"]],
    ["slow suites", "apps/x", { hasEndToEndTests: true }, ["build", "e2e", "lint", "typecheck"]],
    ["the conformance suite", "tools/conformance", {}, ["build", "conformance", "lint", "typecheck"]],
    ["this project", "tools/workspace", {}, ["boundaries", "breaking", "build", "lint", "typecheck"]],
  ])("of %s", (_what, root, facts, targets) => {
    expect(Object.keys(targetsOf(root, facts)).sort()).toEqual(targets);
  });

  it("of a contract's library generate it from its own folders and the shared ones", () => {
    const contract = { name: "user", folders: ["user"], shared: ["buf", "kinora"] };
    const { targets, namedInputs } = inferProject({ root: "libs/proto/user", ...nothing }, contract);
    expect(namedInputs?.contract).toEqual([
      "{workspaceRoot}/proto/buf.yaml",
      "{workspaceRoot}/proto/buf.gen.user.yaml",
      "{workspaceRoot}/proto/user/**/*.proto",
      "{workspaceRoot}/proto/buf/**/*.proto",
      "{workspaceRoot}/proto/kinora/**/*.proto",
    ]);
    expect(targets?.generate?.outputs).toEqual(["{workspaceRoot}/libs/proto/user/gen"]);
    expect(namedInputs?.production).toContain("contract");
  });

  it("generate before they read generated code", () => {
    const targets = targetsOf("apps/x", { isServer: true, hasTests: true, hasEndToEndTests: true });
    const { conformance } = targetsOf("tools/conformance");
    expect(conformance?.dependsOn).toContain("^generate");
    for (const name of ["serve", "test", "e2e", "typecheck"]) {
      expect(targets[name]?.dependsOn, name).toEqual(expect.arrayContaining(["generate", "^generate"]));
    }
  });

  it("name the packages that they run, so that they aren't hashed with every package there is", () => {
    const contract = { name: "x", folders: ["x"], shared: [] };
    const { targets } = inferProject(
      { root: "libs/proto/x", isServer: true, hasManifests: true, hasTests: true, hasEndToEndTests: true },
      contract,
    );
    for (const [name, target] of Object.entries(targets ?? {}).filter(([, { cache }]) => cache)) {
      expect(target.inputs, name).toContainEqual(
        expect.objectContaining({ externalDependencies: expect.arrayContaining([expect.any(String)]) }),
      );
    }
  });
});
