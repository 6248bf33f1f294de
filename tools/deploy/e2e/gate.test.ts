/** The way of a change into production and back, by the commands that a workflow runs, in a clone of this workspace. Each part goes on where the one before ended. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRecordStore } from "../src/records/record-store.ts";
import { type HealthServer, startHealthServer } from "./support/health-server.ts";
import { cloneWorkspace, type WorkspaceClone } from "./support/workspace-clone.ts";

let clone: WorkspaceClone;
let health: HealthServer;
beforeAll(async () => {
  clone = cloneWorkspace({ packages: "links" });
  health = await startHealthServer();
});
afterAll(() => {
  health?.close();
  clone?.remove();
});

type Answer = { status: number | null; output: string };

/** Not synchronous: the health server has to answer meanwhile. */
function deploy(...args: string[]): Promise<Answer> {
  return new Promise((resolve) => {
    const env = {
      ...process.env,
      NX_DAEMON: "false",
      NX_WORKSPACE_ROOT_PATH: clone.root,
      NO_COLOR: "1",
      FORCE_COLOR: undefined,
      DEPLOY_RECORDS: undefined,
    };
    const child = spawn(process.execPath, ["tools/deploy/bin/kinora-deploy.mjs", ...args], { cwd: clone.root, env });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.on("close", (status) => resolve({ status, output }));
  });
}
const due = async (): Promise<string[]> =>
  JSON.parse((await deploy("plan", "--json")).output).include.map(({ service }: { service: string }) => service);
const image = (letter: string): string => `registry.example/user@sha256:${letter.repeat(64)}`;
const record = (service: string, ...more: string[]): Promise<Answer> =>
  deploy("record", service, "--health", health.url, "--image", image("a"), ...more);
const records = () => openRecordStore(join(clone.root, "deployments"));

const services = ["user", "encoder", "encoder-worker"];

describe("a deploy", () => {
  it("is recorded once the service is healthy, and not before", async () => {
    for (const service of services) expect(await deploy("bundle", service)).toMatchObject({ status: 0 });
    health.serving = false;
    const early = await record("user", "--patience", "1");
    expect(early).toEqual({
      status: 2,
      output: expect.stringContaining("isn't healthy (NOT_SERVING), so nothing is recorded"),
    });
    expect(existsSync(join(clone.root, "deployments/production/user"))).toBe(false);
    expect(await due()).toContain("user");

    health.serving = true;
    for (const service of services) expect(await record(service)).toMatchObject({ status: 0 });
    expect(await due()).toEqual([]);
    clone.keep();
    const { calls, provides } = records().current("production", "encoder") ?? {};
    expect(provides?.services).toContain("encoder.v1.EncoderService");
    expect(calls).toEqual([
      expect.objectContaining({
        services: expect.arrayContaining(["user.v1.QuotaService"]),
        tests: expect.any(String),
      }),
    ]);
    expect(calls?.[0]?.uses).toContain("user.v1.QuotaService.ReserveQuota");
  });

  it("needs an environment that there is", async () => {
    for (const command of [["can-i-deploy", "user"], ["plan"], ["record", "user", "--health", health.url]]) {
      expect(await deploy(...command, "--env", "prodution")).toEqual({
        status: 2,
        output: expect.stringContaining('There is no environment "prodution". deploy.json has staging, production.'),
      });
    }
  });

  it("needs to be told where the service answers, and which image it is", async () => {
    expect(await deploy("record", "user")).toEqual({ status: 2, output: expect.stringContaining("--health") });
    expect(await deploy("record", "user", "--health", "nowhere")).toMatchObject({ status: 2 });
    expect(await deploy("record", "user", "--health", health.url)).toEqual({
      status: 2,
      output: expect.stringContaining("--image"),
    });
    expect(await deploy("record", "user", "--health", health.url, "--image", "user:latest")).toEqual({
      status: 2,
      output: expect.stringContaining("NAME@sha256:"),
    });
    expect(await deploy("record", "nobody", "--health", health.url)).toEqual({
      status: 2,
      output: expect.stringContaining("encoder, encoder-worker, user"),
    });
  });

  it.each([
    ["user", ["encoder"]],
    ["encoder", ["encoder-worker", "user"]],
  ])("of %s is let through when the contract tests of %j pass against it", async (service, callers) => {
    const { status, output } = await deploy("can-i-deploy", service);
    expect(output).toContain(`${service} can be deployed to production.`);
    for (const caller of callers) expect(output).toContain(`contract tests of ${caller} (record 1)`);
    expect(status).toBe(0);
  });

  it("is refused when an encoder gives the deployed workers no work any more", async () => {
    clone.edit("libs/encoder/src/rpc/worker-routes.ts", (text) =>
      text.replace("if (kinds.length === 0)", "if (kinds.length < 20)"),
    );
    const { status, output } = await deploy("can-i-deploy", "encoder");
    expect(output).toMatch(/- encoder-worker would break: its contract tests \(record 1\) fail against encoder/);
    expect(output).toContain("This worker is older than the encoder");
    expect(status).toBe(1);
    clone.restore();
  });

  it("is refused when the candidate behaves otherwise, though its contract is the same", async () => {
    clone.edit("libs/user/src/quota/quota-handlers.ts", (text) =>
      text.replace(
        'new DomainError("not_found", "no such user")',
        'new DomainError("failed_precondition", "no such user")',
      ),
    );
    const { status, output } = await deploy("can-i-deploy", "user", "--json");
    expect(status).toBe(1);
    expect(JSON.parse(output).problems).toEqual([
      expect.stringMatching(
        /^encoder would break: its contract tests \(record 1\) fail against user:[\s\S]*somebody who doesn't exist/,
      ),
    ]);
    expect(await deploy("can-i-deploy", "user", "--skip-behaviour")).toMatchObject({ status: 0 });
    clone.restore();
  });

  it("is refused by name when the contract breaks a deployed caller", async () => {
    clone.edit("proto/user/v1/quota_service.proto", (text) => text.replace("rpc SettleQuota(", "rpc Settle("));
    const { status, output } = await deploy("can-i-deploy", "user", "--skip-behaviour");
    expect(status).toBe(1);
    expect(output).toMatch(/- encoder would break: .*RPC "SettleQuota" on service "QuotaService" was deleted/);
    clone.restore();
  });

  it("is refused when its migrations take away what its running version needs", async () => {
    const added = (...migrations: string[]): void =>
      clone.edit("libs/user/src/migrations.ts", (text) => text.replace(/\];\s*$/, `${migrations.join(",\n")},\n];\n`));
    const expand = '{ name: "9000_names", sql: "alter table users add column names jsonb" }';
    const contract = '{ name: "9001_no_name", sql: "alter table users drop column name", completes: "9000_names" }';
    added(expand);
    expect(await deploy("can-i-deploy", "user", "--skip-behaviour")).toEqual({
      status: 0,
      output: expect.stringMatching(/checked: migrations of user \(\d+ have run\)/),
    });
    clone.restore();
    added(expand, contract);
    expect(await deploy("can-i-deploy", "user", "--skip-behaviour")).toEqual({
      status: 1,
      output: expect.stringContaining(
        "migration 9001_no_name takes away what 9000_names replaces, which that version doesn't know",
      ),
    });
    clone.restore();
  });

  it("isn't let through when it can't be found out: a damaged record, a contract that is gone, a contract that doesn't compile", async () => {
    const broken: [string, string][] = [
      ["deployments/production/encoder/000001.json", "is damaged"],
      [
        `deployments/production/objects/${records().current("production", "encoder")?.calls[0]?.descriptor}`,
        "is damaged",
      ],
      ["proto/user/v1/quota_service.proto", "buf build failed"],
    ];
    for (const [path, sentence] of broken) {
      clone.edit(path, () => "{");
      expect(await deploy("can-i-deploy", "user", "--skip-behaviour"), path).toEqual({
        status: 2,
        output: expect.stringContaining(sentence),
      });
      clone.restore();
    }
  });
});

describe("a rollback", () => {
  it("goes back to the record before, and is recorded as what it is", async () => {
    expect(await deploy("rollback", "user")).toEqual({
      status: 2,
      output: expect.stringContaining("no earlier record"),
    });
    clone.edit("proto/user/v1/quota_service.proto", (text) =>
      text.replace(
        "service QuotaService {",
        "service QuotaService {\n  // Asks.\n  rpc Ask(GetQuotaRequest) returns (GetQuotaResponse);",
      ),
    );
    expect(await deploy("bundle", "user")).toMatchObject({ status: 0 });
    expect(await deploy("record", "user", "--health", health.url, "--image", image("b"))).toMatchObject({ status: 0 });
    clone.keep();
    const allowed = await deploy("rollback", "user", "--json");
    expect(JSON.parse(allowed.output)).toMatchObject({ ok: true, to: 1, image: image("a"), problems: [] });
    expect(allowed.status).toBe(0);
    expect(await record("user", "--rollback-to", "1")).toMatchObject({ status: 0 });
    expect(records().current("production", "user")).toMatchObject({ number: 3, rollbackTo: 1, image: image("a") });
    expect(await due()).toContain("user");
    expect((await deploy("history", "user")).output.split("\n")[0]).toMatch(/^ +3 .*\(back to 1\)$/);
    clone.keep();
  });

  it("is refused when a neighbour has come to need what the old version lacks", async () => {
    const store = records();
    const newer = store.get("production", "user", 2);
    const encoder = store.get("production", "encoder", 1);
    const [call] = encoder.calls;
    if (!call || !newer.provides) throw new Error("the records have no contracts");
    store.append({ ...newer, recordedAt: encoder.recordedAt }, 3);
    const uses = [...(call.uses ?? []), "user.v1.QuotaService.Ask"];
    store.append({ ...encoder, calls: [{ ...call, descriptor: newer.provides.descriptor, uses }] }, 1);
    expect(await deploy("check")).toMatchObject({ status: 0 });
    const { status, output } = await deploy("rollback", "user", "--to", "1");
    expect(status).toBe(1);
    expect(output).toMatch(/- encoder would break: .*\(record 2\): .*RPC "Ask" on service "QuotaService" was deleted/);
    // Both went out at once: each was checked against what ran before.
    store.append({ ...store.get("production", "user", 1), recordedAt: encoder.recordedAt }, 4);
    expect(await deploy("check")).toEqual({
      status: 1,
      output: expect.stringMatching(/- encoder would break: user doesn't offer .*RPC "Ask"/),
    });
  });
});

it("records hold nothing but their own form, and what they name is there", () => {
  const folder = join(clone.root, "deployments/production");
  const objects = new Set(readdirSync(join(folder, "objects")));
  for (const service of services) {
    for (const file of readdirSync(join(folder, service))) {
      const { provides, calls } = JSON.parse(readFileSync(join(folder, service, file), "utf8"));
      const named = [
        ...(provides ? [provides.descriptor] : []),
        ...calls.flatMap((call: { descriptor: string; tests: string }) => [call.descriptor, call.tests]),
      ];
      expect(named.filter((digest) => !objects.has(digest))).toEqual([]);
    }
  }
});
