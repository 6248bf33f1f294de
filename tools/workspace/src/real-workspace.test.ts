/** On a copy of this very workspace, with the Nx that it uses. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { copyWorkspace, type WorkspaceCopy } from "./testing/workspace-copy.ts";

describe("task hashes", () => {
  let copy: WorkspaceCopy;
  let before: Record<string, string>;
  beforeAll(() => {
    copy = copyWorkspace();
    before = hashes();
  });
  afterAll(() => copy.remove());

  function hashes(): Record<string, string> {
    const { status, output } = copy.run(
      "tools/workspace/src/testing/print-hashes.ts",
      ...["generate", "typecheck", "lint", "test"],
    );
    expect(status, output).toBe(0);
    return JSON.parse(output.trim().split("\n").at(-1) ?? "");
  }

  /** The tasks whose hash differs when this file does. */
  function changedBy(path: string, change: (text: string) => string): string[] {
    const file = join(copy.root, path);
    const original = existsSync(file) ? readFileSync(file, "utf8") : undefined;
    writeFileSync(file, change(original ?? ""));
    try {
      const after = hashes();
      return Object.keys(after).filter((task) => after[task] !== before[task]);
    } finally {
      if (original === undefined) rmSync(file);
      else writeFileSync(file, original);
    }
  }

  const remark = (text: string): string => `${text}\n// changed\n`;

  it("of a contract change with that contract and with those who use it, and with no other", () => {
    const changed = changedBy("proto/user/v1/user_service.proto", remark);
    expect(changed).toEqual(expect.arrayContaining(["proto-user:generate", "user:typecheck", "lib-user:typecheck"]));
    expect(
      changed.filter((task) => /^(proto-encoder|proto-common|lib-rpc|lib-media|lib-encoder-worker):/.test(task)),
    ).toEqual([]);
  });

  it("of shared contracts change every contract", () => {
    expect(changedBy("proto/kinora/access/v1/access.proto", remark)).toEqual(
      expect.arrayContaining(["proto-common:generate", "proto-user:generate", "proto-encoder:generate"]),
    );
  });

  it("of a project's tests don't change those who depend on it", () => {
    const changed = changedBy("libs/rpc/src/new.test.ts", () => "export {};\n");
    expect(changed).toContain("lib-rpc:typecheck");
    expect(changed.filter((task) => !task.startsWith("lib-rpc:"))).toEqual([]);
  });

  it("of a new version of one service's package leave the other service alone", () => {
    const changed = changedBy("package-lock.json", (text) => {
      const lock = JSON.parse(text);
      lock.packages["node_modules/@node-rs/argon2"].version = "2.2.2";
      lock.packages["node_modules/@node-rs/argon2"].integrity = "sha512-changed";
      return JSON.stringify(lock);
    });
    expect(changed).toEqual(expect.arrayContaining(["lib-user:typecheck", "user:typecheck"]));
    expect(changed.filter((task) => /^(encoder|lib-encoder|lib-rpc|encoder-worker):/.test(task))).toEqual([]);
  });
});

let copy: WorkspaceCopy;
const useCopy = (): void => {
  beforeEach(() => {
    copy = copyWorkspace();
  });
  afterEach(() => copy.remove());
};

const edit = (path: string, change: (text: string) => string): void =>
  writeFileSync(join(copy.root, path), change(readFileSync(join(copy.root, path), "utf8")));

describe("the boundary check on the real graph", () => {
  useCopy();
  const check = () => copy.run("tools/workspace/src/boundaries/main.ts");

  it("names the file that crosses a boundary", () => {
    appendFileSync(join(copy.root, "libs/user/src/index.ts"), 'export * from "@kinora/encoder";\n');
    const { status, output } = check();
    expect(status).toBe(1);
    expect(output).toMatch(/libs\/user may not import libs\/encoder\..*\n {4}libs\/user\/src\/index\.ts/);
  });

  it("fails when Nx finds no edges", () => {
    edit("nx.json", (text) => {
      const nx = JSON.parse(text);
      Object.assign(nx.pluginsConfig["@nx/js"], { analyzeSourceFiles: false, analyzePackageJson: false });
      return JSON.stringify(nx);
    });
    const { status, output } = check();
    expect(status).toBe(1);
    expect(output).toContain("no edges");
  });

  it("fails when TypeScript is one that Nx can't use", () => {
    const typescript = join(copy.root, "node_modules/typescript");
    rmSync(typescript);
    symlinkSync(join(copy.root, "node_modules/@typescript/native"), typescript);
    const { status, output } = check();
    expect(status).toBe(1);
    expect(output).toContain("can't be computed");
  });

  it("fails when the graph can't be computed", () => {
    edit("libs/rpc/package.json", (text) => text.replace('"lib-rpc"', '"lib-user"'));
    const { status, output } = check();
    expect(status).toBe(1);
    expect(output).toContain("can't be computed");
  });

  it("fails for a project that nobody placed", () => {
    mkdirSync(join(copy.root, "libs/misc"));
    writeFileSync(
      join(copy.root, "libs/misc/package.json"),
      '{ "name": "@kinora/misc", "nx": { "name": "lib-misc" } }',
    );
    symlinkSync(join(copy.root, "libs/misc"), join(copy.root, "node_modules/@kinora/misc"));
    expect(check().output).toContain("libs/misc has no place");
  });
});

describe("generating", () => {
  useCopy();
  const generate = (...names: string[]) => copy.run("tools/workspace/src/contracts/run.mjs", ...names);
  const generated = (name: string): string =>
    readFileSync(join(copy.root, `libs/proto/${name}/gen/${name}/v1/${name}_service_pb.ts`), "utf8");

  it("happens once, and again only for the contract that changed", () => {
    const contracts = readdirSync(join(copy.root, "libs/proto")).sort();
    expect(contracts).toEqual(expect.arrayContaining(["common", "encoder", "user"]));
    expect(generate().output).toBe(contracts.map((name) => `Generated libs/proto/${name}/gen.\n`).join(""));
    expect(generate().output).toBe("");

    edit("proto/user/v1/user_service.proto", (text) => `${text}\n// A remark.\nmessage Added {}\n`);
    expect(generate().output).toBe("Generated libs/proto/user/gen.\n");
    expect(generated("user")).toContain("Added");
    expect(generate().output).toBe("");
  });

  it("happens again when somebody removed the result", () => {
    generate("user");
    rmSync(join(copy.root, "libs/proto/user/gen"), { recursive: true });
    expect(generate("user").status).toBe(0);
    expect(generated("user")).toContain("UserService");
  });

  it("says where a contract is wrong, and tries again the next time", () => {
    generate("user");
    edit("proto/user/v1/user_service.proto", (text) => `${text}\nmessage Broken {\n`);
    for (const attempt of [generate("user"), generate("user")]) {
      expect(attempt.status).toBe(1);
      expect(attempt.output).toContain("user/v1/user_service.proto");
    }
  });

  it("refuses a name that has no contract", () => {
    const { status, output } = generate("nobody");
    expect(status).toBe(1);
    expect(output).toContain("buf.gen.nobody.yaml");
  });
});
