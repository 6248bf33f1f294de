/** On the contracts and the code of this very workspace: what is "deployed" is what it has now, and each case proposes one change of it. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildContracts } from "../contracts/buf.ts";
import { contractsOf } from "../contracts/describe-contracts.ts";
import type { ContractUse } from "../contracts/find-uses.ts";
import { findUses } from "../contracts/find-uses.ts";
import { checkContracts } from "./check-contracts.ts";
import type { Deployed } from "./deployed.ts";

const workspace = fileURLToPath(new URL("../../../../", import.meta.url));
const ignore = ["grpc", "google", "buf"];
const names = ["user", "encoder", "encoder-worker"];

let folder: string;
const uses = new Map<string, ContractUse>();
let deployed: Deployed[];
let original: Uint8Array;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "contracts-"));
  cpSync(join(workspace, "proto"), join(folder, "proto"), { recursive: true });
  for (const name of names) uses.set(name, findUses(workspace, `apps/${name}/src/main.ts`));
  original = await build();
  deployed = names.map((service) => ({
    service,
    source: "record 1",
    ...contractsOf(useOf(service), original, ignore),
  }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const build = (): Promise<Uint8Array> => buildContracts(workspace, join(folder, "proto"));
function useOf(service: string): ContractUse {
  const use = uses.get(service);
  if (!use) throw new Error(service);
  return use;
}

type Edit = { file: string; from: string | RegExp; to: string };

/** All contracts with one edit. */
async function edited({ file, from, to }: Edit): Promise<Uint8Array> {
  const path = join(folder, "proto", file);
  const text = readFileSync(path, "utf8");
  const changed = text.replace(from, to);
  expect(changed, `${file} has no ${from}`).not.toBe(text);
  writeFileSync(path, changed);
  try {
    return await build();
  } finally {
    writeFileSync(path, text);
  }
}

const quota = "user/v1/quota_service.proto";
const worker = "encoder/v1/worker_service.proto";
const check = (service: string, all: Uint8Array, use = useOf(service), among = deployed) =>
  checkContracts(workspace, service, contractsOf(use, all, ignore), among, ignore);

describe("a provider's change", () => {
  it("of nothing is no problem, and says what it was compared with", async () => {
    const verdict = await check("user", original);
    expect(verdict).toEqual({
      problems: [],
      notes: [],
      checked: [
        "callers from outside → user (record 1)",
        "encoder → user (record 1)",
        "encoder-worker → user (record 1)",
        "user → encoder (record 1)",
      ],
    });
    expect((await check("encoder", original)).checked).toContain("encoder-worker → encoder (record 1)");
  });

  it.each<[string, string, Edit, RegExp]>([
    [
      "a deleted field",
      "user",
      { file: quota, from: /^.*double used_seconds = 2;$/m, to: "" },
      /^encoder would break.*field "2".*"used_seconds".*GetQuotaResponse.*deleted/,
    ],
    [
      "a deleted RPC",
      "user",
      { file: quota, from: /^ {2}rpc SettleQuota[\s\S]*?^ {2}}$/m, to: "" },
      /^encoder would break.*RPC "SettleQuota".*"QuotaService".*deleted/,
    ],
    [
      "another type",
      "user",
      { file: quota, from: "double used_seconds = 2;", to: "string used_seconds = 2;" },
      /^encoder would break.*"used_seconds".*GetQuotaResponse.*type/,
    ],
    [
      "a renamed field",
      "user",
      { file: quota, from: "double used_seconds = 2;", to: "double spent_seconds = 2;" },
      /^encoder would break.*"spent_seconds".*"used_?[sS]econds"/,
    ],
    [
      "a renamed RPC",
      "user",
      { file: quota, from: "rpc SettleQuota(", to: "rpc Settle(" },
      /^encoder would break.*RPC "SettleQuota"/,
    ],
    [
      "a reused number",
      "user",
      {
        file: quota,
        from: /double used_seconds = 2;([\s\S]*?)double reserved_seconds = 3;/,
        to: "string note = 2;$1double reserved_seconds = 3;",
      },
      /^encoder would break.*GetQuotaResponse/,
    ],
    [
      "a renumbered field",
      "user",
      { file: quota, from: "double used_seconds = 2;", to: "double used_seconds = 9;" },
      /^encoder would break.*GetQuotaResponse.*deleted/,
    ],
    [
      "another message in an RPC",
      "user",
      { file: quota, from: /rpc GetQuota\(GetQuotaRequest\)/, to: "rpc GetQuota(SettleQuotaRequest)" },
      /RPC "GetQuota".*request type/,
    ],
    [
      "a stream instead of an answer",
      "encoder",
      {
        file: worker,
        from: "rpc Heartbeat(HeartbeatRequest) returns (HeartbeatResponse)",
        to: "rpc Heartbeat(HeartbeatRequest) returns (stream HeartbeatResponse)",
      },
      /^encoder-worker would break.*"Heartbeat".*stream/,
    ],
    [
      "a method that only callers from outside use",
      "user",
      { file: "user/v1/user_service.proto", from: /^ {2}rpc ListUsers[\s\S]*?^ {2}}$/m, to: "" },
      /^user would break its callers from outside.*"ListUsers"/,
    ],
  ])("that is %s is refused by name", async (_what, service, edit, message) => {
    const { problems } = await check(service, await edited(edit));
    expect(problems).toEqual(expect.arrayContaining([expect.stringMatching(message)]));
  });

  it.each<[string, string, Edit]>([
    [
      "a new field",
      "user",
      { file: quota, from: "double used_seconds = 2;", to: "double used_seconds = 2;\n  string note = 99;" },
    ],
    [
      "a new RPC",
      "user",
      {
        file: quota,
        from: "service QuotaService {",
        to: "service QuotaService {\n  rpc Ask(GetQuotaRequest) returns (GetQuotaResponse);",
      },
    ],
    [
      "a new service and message",
      "user",
      { file: quota, from: /$/, to: "\nmessage Asked {}\nservice New { rpc Ask(Asked) returns (Asked); }\n" },
    ],
    ["a comment", "user", { file: quota, from: /$/, to: "\n// A remark.\n" }],
    [
      "a deprecation",
      "user",
      { file: quota, from: "double used_seconds = 2;", to: "double used_seconds = 2 [deprecated = true];" },
    ],
    ["a contract of another service", "user", { file: worker, from: /^ {2}rpc Heartbeat[\s\S]*?^ {2}}$/m, to: "" }],
  ])("that is %s is let through", async (_what, service, edit) => {
    expect((await check(service, await edited(edit))).problems).toEqual([]);
  });

  it("may take away what was deprecated, once no deployed service uses it", async () => {
    const file = "user/v1/user_service.proto";
    const deprecated = await edited({ file, from: /(rpc ListUsers[^{]*{)/, to: "$1\n    option deprecated = true;" });
    const among = deployed.map((entry) =>
      entry.service === "user" ? { ...entry, ...contractsOf(useOf("user"), deprecated, ignore) } : entry,
    );
    const gone = await edited({ file, from: /^ {2}rpc ListUsers[\s\S]*?^ {2}}$/m, to: "" });
    expect((await check("user", gone, useOf("user"), among)).problems).toEqual([]);
    const caller = {
      service: "billing",
      source: "record 1",
      ...contractsOf(
        { serves: [], calls: ["user.v1.UserService"], uses: ["user.v1.UserService.ListUsers"] },
        deprecated,
        ignore,
      ),
    };
    const { problems } = await check("user", gone, useOf("user"), [...among, caller]);
    expect(problems).toEqual([expect.stringMatching(/^billing would break.*"ListUsers"/)]);
  });

  it("that is a deleted service is refused by name", async () => {
    const all = await edited({ file: worker, from: /^service WorkerService[\s\S]*?^}$/m, to: "" });
    const use = useOf("encoder");
    const without = { ...use, serves: use.serves.filter((name) => name !== "encoder.v1.WorkerService") };
    expect((await check("encoder", all, without)).problems).toEqual(
      expect.arrayContaining([expect.stringMatching(/^encoder-worker would break.*"WorkerService".*deleted/)]),
    );
  });

  it("to serving nothing at all breaks whoever calls it", async () => {
    const { problems } = await check("user", original, { ...useOf("user"), serves: [] });
    expect(problems).toEqual(expect.arrayContaining([expect.stringMatching(/^encoder would break.*QuotaService/)]));
  });
});

describe("a consumer's change", () => {
  const ask = (extra: string[]): ContractUse => {
    const use = useOf("encoder");
    return { ...use, uses: [...use.uses, ...extra].sort() };
  };

  it("to an RPC that the deployed provider lacks is refused by name", async () => {
    const all = await edited({
      file: quota,
      from: "service QuotaService {",
      to: "service QuotaService {\n  rpc Ask(GetQuotaRequest) returns (GetQuotaResponse);",
    });
    expect((await check("encoder", all, ask(["user.v1.QuotaService.Ask"]))).problems).toEqual([
      expect.stringMatching(/^encoder would break: user doesn't offer.*RPC "Ask" on service "QuotaService"/),
    ]);
    // That it is there and nobody calls it holds nobody back.
    expect((await check("encoder", all)).problems).toEqual([]);
  });

  it("to a field that the deployed provider lacks is refused by name", async () => {
    const all = await edited({
      file: quota,
      from: "double used_seconds = 2;",
      to: "double used_seconds = 2;\n  double bonus_seconds = 9;",
    });
    const { problems } = await check(
      "encoder",
      all,
      ask(["user.v1.QuotaService.GetQuota", "user.v1.GetQuotaResponse.bonus_seconds"]),
    );
    expect(problems).not.toEqual([]);
    for (const problem of problems) {
      expect(problem).toMatch(/^encoder would break: user doesn't offer.*"bonus_seconds".*GetQuotaResponse/);
    }
    expect((await check("encoder", all)).problems).toEqual([]);
  });

  it("counts everything as used when it can't be seen what is", async () => {
    const all = await edited({
      file: quota,
      from: "service QuotaService {",
      to: "service QuotaService {\n  rpc Ask(GetQuotaRequest) returns (GetQuotaResponse);",
    });
    const use = useOf("encoder");
    const hidden = { ...use, uses: use.uses.filter((name) => !name.startsWith("user.v1.QuotaService.")) };
    expect((await check("encoder", all, hidden)).problems).toEqual([expect.stringMatching(/RPC "Ask"/)]);
  });

  it("is held to what the monolith serves that it leaves", async () => {
    const served = {
      ...useOf("user"),
      serves: [...useOf("user").serves, ...useOf("encoder").serves],
      calls: [],
      uses: [],
    };
    const monolith = { service: "kinora", source: "http://all", ...contractsOf(served, original, ignore) };
    expect(await check("user", original, useOf("user"), [monolith])).toMatchObject({
      problems: [],
      checked: ["callers from outside → user (http://all)", "user → kinora (http://all)"],
    });
    const all = await edited({ file: quota, from: "rpc SettleQuota(", to: "rpc Settle(" });
    expect((await check("user", all, useOf("user"), [monolith])).problems).toEqual([
      expect.stringMatching(/^user would break its callers from outside .*RPC "SettleQuota"/),
    ]);
  });

  it("can't be checked where its provider isn't recorded, and that is said", async () => {
    const { problems, notes } = await check("encoder", original, useOf("encoder"), []);
    expect(problems).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(/user.v1.QuotaService.*not checked/)]);
  });
});
