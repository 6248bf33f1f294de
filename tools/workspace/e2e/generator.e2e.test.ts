/** A new service in a copy of this repository: it is made, checked, tested, served, called over gRPC, planned for a deploy and bundled, as anybody would do it. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const workspace = fileURLToPath(new URL("../../../", import.meta.url));
let root: string;
let bin: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "kinora-generator-"));
  chmodSync(root, 0o755);
  bin = join(root, "node_modules/.bin");
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: workspace,
  });
  const files = listed
    .toString()
    .split("\0")
    .filter((file) => file !== "" && existsSync(join(workspace, file)));
  execFileSync("tar", ["-cf", join(root, "files.tar"), "--null", "-T", "-"], {
    cwd: workspace,
    input: files.join("\0"),
  });
  execFileSync("tar", ["-xf", "files.tar"], { cwd: root });
  rmSync(join(root, "files.tar"));
  // Links to the same files, as far as the disk is the same: npm replaces files and never changes one.
  mkdirSync(join(root, "node_modules"));
  const linked = spawnSync("cp", ["-al", `${workspace}node_modules/.`, join(root, "node_modules")]);
  if (linked.status !== 0) execFileSync("cp", ["-a", `${workspace}node_modules/.`, join(root, "node_modules")]);
  execFileSync("git", ["init", "-q"], { cwd: root });
  execFileSync("git", ["add", "-A"], { cwd: root });
  git("commit", "-q", "-m", "before");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function git(...args: string[]): string {
  return execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
    cwd: root,
    encoding: "utf8",
  });
}

const environment = () => ({
  ...process.env,
  PATH: [bin, process.env.PATH].join(delimiter),
  NX_DAEMON: "false",
  NX_WORKSPACE_ROOT_PATH: root,
  NO_COLOR: undefined,
  FORCE_COLOR: undefined,
  VITEST: undefined,
  // npm would leave its cache in the temporary folder.
  NODE_DISABLE_COMPILE_CACHE: "1",
});

function run(command: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    timeout: 600_000,
    maxBuffer: 2 ** 26,
    env: environment(),
  });
  return { status, output: stdout + stderr };
}

function succeed(command: string, ...args: string[]): string {
  const { status, output } = run(command, ...args);
  expect(status, `${command} ${args.join(" ")}\n${output}`).toBe(0);
  return output;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );

/** Serves the new service while something is done with it. */
async function whileServed(work: (url: string) => Promise<void>): Promise<void> {
  const port = await freePort();
  const child = spawn(join(root, "node_modules/node/bin/node"), ["apps/billing/src/main.ts"], {
    cwd: root,
    env: { ...environment(), PORT: String(port), KINORA_DATA: join(root, ".kinora") },
  });
  try {
    const url = `http://127.0.0.1:${port}`;
    for (let tries = 0; !(await isReady(url)); tries++) {
      if (child.exitCode !== null || tries === 600)
        throw new Error(`billing isn't ready (exit code ${child.exitCode})`);
      await sleep(100);
    }
    await work(url);
  } finally {
    child.kill();
    await once(child, "close");
  }
}

describe("a new service", () => {
  it.each([
    [["Billing"], "can't be the name of a service"],
    [["user"], "There is proto/user already."],
    [["billing", "--calls", "nobody"], 'There is no service "nobody" to call.'],
  ])("isn't made of %j, and nothing is left of it", (args, message) => {
    const { status, output } = run("nx", "generate", "@kinora/workspace:service", ...args);
    expect(status).toBe(1);
    expect(output).toContain(message);
    expect(git("status", "--porcelain")).toBe("");
  });

  it("can be looked at before it is made", () => {
    expect(succeed("nx", "generate", "@kinora/workspace:service", "billing", "--dry-run")).toContain(
      "apps/billing/src/main.ts",
    );
    expect(git("status", "--porcelain")).toBe("");
  });

  it("is made, with everything that others know it by", () => {
    succeed("nx", "generate", "@kinora/workspace:service", "billing", "--calls", "encoder");
    expect(existsSync(join(root, "apps/billing/deploy/production/service.yaml"))).toBe(true);
    expect(readFileSync(join(root, "package-lock.json"), "utf8")).toContain('"apps/billing"');
    const changed = git("status", "--porcelain")
      .split("\n")
      .filter((line) => line.startsWith(" M"));
    expect(changed).toEqual([" M .github/CODEOWNERS", " M package-lock.json"]);
    git("add", "-A");
    git("commit", "-q", "-m", "billing");
    const again = run("nx", "generate", "@kinora/workspace:service", "billing");
    expect(again.status).toBe(1);
    expect(git("status", "--porcelain")).toBe("");
  });

  it("passes the checks that every project passes, and its own tests", () => {
    succeed(
      "nx",
      "run-many",
      "-t",
      "typecheck",
      "lint",
      "manifests",
      "test",
      "-p",
      "proto-billing",
      "lib-billing",
      "billing",
    );
    succeed("nx", "boundaries", "workspace");
    succeed("vitest", "run", "--dir", "tools/workspace/src/delivery");
    succeed("kinora-manifests", "--check");
  });

  it("answers other people's gRPC clients", async () => {
    await whileServed(async (url) => {
      const call = [
        "curl",
        "--protocol",
        "grpc",
        "--http2-prior-knowledge",
        `${url}/billing.v1.BillingService/GetStatus`,
      ];
      expect(JSON.parse(succeed("buf", ...call))).toEqual({ neighbours: [{ name: "encoder" }, { name: "user" }] });
    });
  });

  it("is due for its first deploy, is bundled and recorded, and isn't due any more", async () => {
    const due = () =>
      JSON.parse(succeed("kinora-deploy", "plan", "--json")).include.map(({ service }: { service: string }) => service);
    expect(due()).toContain("billing");
    succeed("nx", "image", "billing");
    expect(existsSync(join(root, "dist/images/billing/app/main.js"))).toBe(true);
    const image = `registry.example.org/billing@sha256:${"0".repeat(64)}`;
    await whileServed(async (url) => {
      succeed("kinora-deploy", "record", "billing", "--health", url, "--image", image);
    });
    expect(due()).not.toContain("billing");
  });

  it("holds those that it calls to what it relies on, from its first record on", async () => {
    const allowed = succeed("kinora-deploy", "can-i-deploy", "user");
    expect(allowed).toContain("checked: contract tests of billing (record 1)");
    const routes = join(root, "libs/user/src/token/discovery-routes.ts");
    const text = readFileSync(routes, "utf8");
    writeFileSync(routes, text.replace('jsonRoute("/.well-known/jwks.json"', 'jsonRoute("/.well-known/keys.json"'));
    const { status, output } = run("kinora-deploy", "can-i-deploy", "user");
    expect(output).toMatch(/- billing would break: its contract tests \(record 1\) fail against user/);
    expect(status).toBe(1);
    writeFileSync(routes, text);
  });
});
