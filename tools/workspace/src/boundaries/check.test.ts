import { describe, expect, it } from "vitest";
import { findViolations } from "./check.ts";
import type { Project, Workspace } from "./workspace.ts";

const project = (root: string, dependencies: string[] = [], devDependencies: string[] = []): Project => ({
  name: root,
  root,
  packageName: `@kinora/${root.replace("libs/", "").replaceAll("/", "-")}`,
  dependencies,
  devDependencies,
});

/** libs/user → libs/rpc, all well. */
function workspace(change: Partial<Workspace> = {}): Workspace {
  const projects = change.projects ?? [project("libs/user", ["@kinora/rpc"]), project("libs/rpc")];
  return {
    projects,
    edges: [{ from: "libs/user", to: "libs/rpc" }],
    imports: [{ file: "libs/user/src/index.ts", specifier: "@kinora/rpc" }],
    folders: projects.map(({ root }) => root),
    provided: ["vitest"],
    ...change,
  };
}

const edge = (from: string, to: string) => ({ from, to });
const use = (file: string, specifier: string) => ({ file, specifier });

describe("the boundary check", () => {
  it("finds nothing where nothing is", () => {
    expect(findViolations(workspace())).toEqual([]);
  });

  it.each<[string, Partial<Workspace>, RegExp]>([
    ["an empty graph", { projects: [], folders: [] }, /no projects/],
    ["a graph without edges", { edges: [] }, /no edges.*TypeScript 6/],
    ["a project that the graph lacks", { folders: ["libs/user", "libs/rpc", "libs/lost"] }, /libs\/lost has a/],
    [
      "an edge that the files show and the graph lacks",
      {
        projects: [
          project("libs/user", ["@kinora/rpc", "@kinora/service"]),
          project("libs/rpc"),
          project("libs/service"),
        ],
        imports: [
          use("libs/user/src/index.ts", "@kinora/rpc"),
          use("libs/user/src/index.ts", "@kinora/service/config"),
        ],
      },
      /lacks the edge from libs\/user to libs\/service/,
    ],
    [
      "a project without a place",
      { projects: [project("libs/user", ["@kinora/rpc"]), project("libs/rpc"), project("libs/misc")] },
      /libs\/misc has no place/,
    ],
  ])("fails for %s", (_what, change, message) => {
    expect(findViolations(workspace(change)).map((violation) => violation.message)).toEqual([
      expect.stringMatching(message),
    ]);
  });

  it.each([
    ["libs/user", "libs/encoder"],
    ["libs/encoder", "libs/user"],
    ["libs/encoder-worker", "libs/database"],
    ["libs/rpc", "libs/proto/user"],
    ["libs/media", "libs/encoder"],
    ["libs/proto/user", "libs/proto/encoder"],
    ["libs/proto/user", "libs/rpc"],
    ["apps/user", "libs/encoder"],
    ["apps/user", "apps/encoder"],
    ["apps/monolith", "apps/user"],
    ["tools/workspace", "libs/rpc"],
  ])("keeps %s away from %s", (from, to) => {
    const [source, target] = [project(from), project(to)];
    const violations = findViolations(
      workspace({
        projects: [{ ...source, dependencies: [target.packageName] }, target],
        edges: [edge(from, to)],
        imports: [use(`${from}/src/b.ts`, target.packageName), use(`${from}/src/a.ts`, `${target.packageName}/deep`)],
      }),
    );
    expect(violations).toEqual([
      {
        message: expect.stringContaining(`${from} may not import ${to}.`),
        files: [`${from}/src/a.ts`, `${from}/src/b.ts`],
      },
    ]);
  });

  it("reports an edge that no file explains", () => {
    const violations = findViolations(
      workspace({
        projects: [project("libs/user"), project("libs/encoder")],
        imports: [],
        edges: [edge("libs/user", "libs/encoder")],
      }),
    );
    expect(violations).toEqual([
      { message: expect.stringContaining("libs/user may not import libs/encoder"), files: ["libs/user/package.json"] },
    ]);
  });

  it.each<[string, Partial<Workspace>, RegExp[]]>([
    [
      "an undeclared project",
      { projects: [project("libs/user"), project("libs/rpc")] },
      [/imports @kinora\/rpc, which its package.json doesn't name in dependencies\./],
    ],
    [
      "a project declared for development, but deployed",
      { projects: [project("libs/user", [], ["@kinora/rpc"]), project("libs/rpc")] },
      [/imports @kinora\/rpc, which its package.json doesn't name in dependencies\./],
    ],
    ["an unused project", { imports: [] }, [/libs\/user declares @kinora\/rpc and never imports it/]],
    [
      "an unused package",
      { projects: [project("libs/user", ["@kinora/rpc", "jose", "@types/pg"]), project("libs/rpc")] },
      [/libs\/user declares jose and never imports it/],
    ],
    [
      "an undeclared package",
      { imports: [use("libs/user/src/a.ts", "@kinora/rpc"), use("libs/user/src/a.ts", "jose")] },
      [/libs\/user imports jose/],
    ],
    [
      "a test's undeclared package",
      { imports: [use("libs/user/src/a.ts", "@kinora/rpc"), use("libs/user/src/a.test.ts", "jose/jwt")] },
      [/libs\/user imports jose.*or devDependencies/],
    ],
    [
      "a path into another project",
      { imports: [use("libs/user/src/a.ts", "@kinora/rpc"), use("libs/user/src/a.ts", "../../rpc/src/server.ts")] },
      [/libs\/user reaches into libs\/rpc\/src\/server\.ts/],
    ],
    [
      "somebody else's package",
      {
        projects: [project("libs/user", ["@kinora/rpc", "node-av"]), project("libs/rpc")],
        imports: [use("libs/user/src/a.ts", "@kinora/rpc"), use("libs/user/src/a.ts", "node-av/api")],
      },
      [/libs\/user may not import node-av: only libs\/media may/],
    ],
  ])("finds %s", (_what, change, messages) => {
    expect(findViolations(workspace(change)).map(({ message }) => message)).toEqual(
      messages.map((message) => expect.stringMatching(message)),
    );
  });

  it("lets contracts use nothing but the Protobuf runtime", () => {
    const contract = project("libs/proto/user", ["@bufbuild/protobuf", "zod", "@kinora/proto-common"]);
    const violations = findViolations(
      workspace({
        projects: [contract, project("libs/proto/common")],
        edges: [edge("libs/proto/user", "libs/proto/common")],
        imports: [
          use("libs/proto/user/gen/a.ts", "@bufbuild/protobuf/codegenv2"),
          use("libs/proto/user/gen/a.ts", "@kinora/proto-common"),
          use("libs/proto/user/src/index.ts", "zod"),
        ],
      }),
    );
    expect(violations).toEqual([
      { message: expect.stringContaining("may not import zod"), files: ["libs/proto/user/src/index.ts"] },
    ]);
  });

  it("lets tests use what the root provides, and everybody what Node provides", () => {
    const imports = [
      use("libs/user/src/a.ts", "@kinora/rpc"),
      use("libs/user/src/a.ts", "node:fs"),
      use("libs/user/src/a.ts", "./b.ts"),
      use("libs/user/src/a.test.ts", "vitest"),
      use("libs/user/src/a.test.ts", "@kinora/user"),
    ];
    expect(findViolations(workspace({ imports }))).toEqual([]);
  });
});

describe("a service that the rules don't name", () => {
  const service = (more: string[]) => {
    const projects = [
      project("libs/proto/billing"),
      project("libs/rpc"),
      project("libs/encoder"),
      project(
        "libs/billing",
        more.map((root) => `@kinora/${root.replace("libs/", "").replace("/", "-")}`),
      ),
    ];
    return workspace({
      projects,
      folders: projects.map(({ root }) => root),
      edges: more.map((root) => edge("libs/billing", root)),
      imports: more.map((root) =>
        use("libs/billing/src/index.ts", `@kinora/${root.replace("libs/", "").replace("/", "-")}`),
      ),
    });
  };

  it("has its place by its contract", () => {
    expect(findViolations(service(["libs/proto/billing", "libs/rpc"]))).toEqual([]);
    const placeless = service(["libs/rpc"]);
    const messages = findViolations({
      ...placeless,
      projects: placeless.projects.slice(1),
      folders: placeless.folders.slice(1),
    });
    expect(messages.map(({ message }) => message)).toEqual([expect.stringContaining("libs/billing has no place")]);
  });

  it("may know no other service", () => {
    expect(findViolations(service(["libs/encoder"])).map(({ message }) => message)).toEqual([
      expect.stringContaining("libs/billing may not import libs/encoder."),
    ]);
  });
});
