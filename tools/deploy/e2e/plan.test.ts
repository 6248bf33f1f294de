/** One change at a time in a clone of this workspace, and exactly which services are planned for it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Plan } from "../src/plan/plan.ts";
import { findServices } from "../src/workspace/services.ts";
import { cloneWorkspace, type WorkspaceClone } from "./support/workspace-clone.ts";

let clone: WorkspaceClone;
beforeAll(() => {
  clone = cloneWorkspace({ packages: "links" });
  recordAll();
  clone.keep();
});
afterEach(() => clone.restore());
afterAll(() => clone.remove());

function recordAll(): void {
  const { status, stderr } = clone.run("tools/deploy/e2e/support/record-all.ts");
  expect(status, stderr).toBe(0);
}

function plan(): Plan {
  const { status, stdout, stderr } = clone.run("tools/deploy/bin/kinora-deploy.mjs", "plan", "--json");
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}
const planned = (): string[] => plan().include.map(({ service }) => service);

/** What is changed of JSON files here. */
type Parsed = {
  packages: Record<string, { version: string; integrity: string }>;
  nx: { name: string };
  devDependencies: object;
  namedInputs: Record<string, string[]>;
  pluginsConfig: object;
  plugins: string[];
  image: { health: string };
};

const remark = (text: string): string => `${text}\n// A remark.\n`;
const json =
  (change: (value: Parsed) => void) =>
  (text: string): string => {
    const value = JSON.parse(text);
    change(value);
    return JSON.stringify(value, null, 2);
  };
/** Another version of a package, as npm would lock it. */
const bump = (name: string) =>
  json(({ packages }) => {
    const entry = packages[`node_modules/${name}`];
    if (!entry) throw new Error(`${name} isn't locked`);
    entry.version = `${entry.version}1`;
    entry.integrity = "sha512-changed";
  });

const workspace = fileURLToPath(new URL("../../../", import.meta.url));
const everything = findServices(workspace).map(({ name }) => name);
type Edit = [path: string, change: (text: string) => string];

describe("the plan", () => {
  it("is empty when everything is deployed", () => {
    expect(plan()).toEqual({ environment: "production", include: [], unchanged: everything, everything: null });
  });

  it.each<[string, Edit, string[], RegExp?]>([
    ["a test file", ["libs/user/src/new.test.ts", () => "export {};\n"], []],
    ["another test file", ["apps/user/src/start.test.ts", remark], []],
    ["a README", ["README.md", remark], []],
    ["a README of a library", ["libs/rpc/README.md", remark], []],
    ["documentation", ["docs/operating.md", remark], []],
    ["what tests share", ["libs/testing/src/index.ts", remark], []],
    ["a service's own test helpers", ["libs/encoder/src/testing/harness.ts", remark], []],
    ["the command line", ["apps/cli/src/main.ts", remark], []],
    ["the monolith", ["apps/monolith/src/start.ts", remark], []],
    ["a workflow", [".github/workflows/ci.yml", (text) => `${text}\n# A remark.\n`], []],
    [
      "user's contract, compatibly",
      ["proto/user/v1/quota_service.proto", (text) => `${text}\n// New.\nmessage New {}\n`],
      ["encoder", "encoder-worker", "user"],
      /^proto\/user\/v1\/quota_service.proto changed$/,
    ],
    ["encoder's contract", ["proto/encoder/v1/worker_service.proto", remark], ["encoder", "encoder-worker", "user"]],
    ["user's domain code", ["libs/user/src/index.ts", remark], ["user"], /^libs\/user\/src\/index.ts changed$/],
    ["the encoder's domain code", ["libs/encoder/src/index.ts", remark], ["encoder"]],
    ["the worker's code", ["libs/encoder-worker/src/index.ts", remark], ["encoder-worker"]],
    ["an app's code", ["apps/encoder/src/config.ts", remark], ["encoder"]],
    [
      "a new file in a library",
      ["libs/user/src/new.ts", () => "export {};\n"],
      ["user"],
      /^libs\/user\/src\/new.ts added$/,
    ],
    ["libs/rpc", ["libs/rpc/src/index.ts", remark], everything],
    [
      "a package of one service",
      ["package-lock.json", bump("@node-rs/argon2")],
      ["user"],
      /^package @node-rs\/argon2 \S+ → \S+$/,
    ],
    ["a package that such a package brings", ["package-lock.json", bump("@node-rs/argon2-linux-x64-gnu")], ["user"]],
    ["the worker's FFmpeg", ["package-lock.json", bump("node-av")], ["encoder-worker"]],
    ["a package of tests", ["package-lock.json", bump("vitest")], []],
    ["a package of the command line's tests", ["package-lock.json", bump("@grpc/grpc-js")], []],
    ["Node", ["package-lock.json", bump("node")], everything],
    [
      "what development needs, in a manifest",
      [
        "libs/user/package.json",
        json((manifest) => {
          manifest.devDependencies = {};
        }),
      ],
      [],
    ],
    [
      "nx.json",
      [
        "nx.json",
        json((nx) => {
          nx.namedInputs.more = [];
        }),
      ],
      everything,
      /^nx.json changed$/,
    ],
    [
      "what images have in common",
      [
        "deploy.json",
        json((config) => {
          config.image.health = "/other";
        }),
      ],
      everything,
    ],
    [
      "how one service runs here",
      ["apps/user/deploy/production/new.yaml", () => "a: 1\n"],
      ["user"],
      /^apps\/user\/deploy\/production\/new.yaml added$/,
    ],
    ["how it runs elsewhere", ["apps/user/deploy/other/new.yaml", () => "a: 1\n"], []],
  ])("for a change of %s", (_what, [path, change], services, reason) => {
    clone.edit(path, change);
    const result = plan();
    expect(result.include.map(({ service }) => service)).toEqual(services);
    expect(result.everything).toBeNull();
    for (const due of result.include) {
      expect(due.reasons.length).toBeGreaterThan(0);
      expect(due.reasons.join("\n")).not.toMatch(/otherwise/);
      if (reason) expect(due.reasons).toEqual([expect.stringMatching(reason)]);
    }
  });

  it("has the old hash again after a revert, and is empty", () => {
    clone.edit("libs/user/src/index.ts", remark);
    const [changed] = plan().include;
    clone.restore();
    expect(planned()).toEqual([]);
    clone.edit("libs/user/src/index.ts", remark);
    expect(plan().include[0]?.hash).toBe(changed?.hash);
  });

  it("has a service until its deploy is recorded, however often it is asked and whatever else is merged", () => {
    clone.edit("libs/user/src/index.ts", remark);
    expect(planned()).toEqual(["user"]);
    clone.edit("README.md", remark);
    expect(planned()).toEqual(["user"]);
    recordAll();
    expect(planned()).toEqual([]);
  });

  it.each<[string, Edit, RegExp]>([
    [
      "can't be computed",
      [
        "libs/rpc/package.json",
        json((manifest) => {
          manifest.nx.name = "lib-user";
        }),
      ],
      /can't be computed/,
    ],
    [
      "has no edges",
      [
        "nx.json",
        json((nx) => {
          nx.pluginsConfig = { "@nx/js": { analyzeSourceFiles: false, analyzePackageJson: false } };
        }),
      ],
      /no edges/,
    ],
    [
      "lacks an image",
      [
        "nx.json",
        json((nx) => {
          nx.plugins = nx.plugins.filter((name: string) => name !== "@kinora/deploy");
        }),
      ],
      /image target/,
    ],
  ])("is everything when the graph %s, and says so", (_what, [path, change], sentence) => {
    clone.edit(path, change);
    const result = plan();
    expect(result.everything).toMatch(sentence);
    expect(result.include.map(({ service }) => service)).toEqual(everything);
  });

  it("has a service whose record is damaged, and says where", () => {
    writeFileSync(join(clone.root, "deployments/production/user/000001.json"), "{");
    expect(plan().include).toEqual([
      expect.objectContaining({ service: "user", reasons: [expect.stringMatching(/000001.json is damaged/)] }),
    ]);
  });

  it("has everything in an environment that has nothing", () => {
    const { stdout } = clone.run("tools/deploy/bin/kinora-deploy.mjs", "plan", "--env", "staging");
    expect(stdout.match(/never deployed/g)).toHaveLength(everything.length);
  });
});
