import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessFaults, readStatements } from "./access.ts";
import { contractsIn, readContract } from "./contract.ts";
import { generate } from "./generate.ts";

const workspace = fileURLToPath(new URL("../../../../", import.meta.url));
let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "kinora-contracts-"));
  cpSync(join(workspace, "proto"), join(copy, "proto"), { recursive: true });
  symlinkSync(join(workspace, "node_modules"), join(copy, "node_modules"));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** What is wrong with the user service's contract once its text is changed. */
async function faultsAfter(change: (text: string) => string): Promise<{ faults: string[]; generated: unknown }> {
  const path = join(copy, "proto/user/v1/quota_service.proto");
  const text = readFileSync(path, "utf8");
  const changed = change(text);
  expect(changed).not.toBe(text);
  writeFileSync(path, changed);
  try {
    const contract = readContract(copy, "user");
    return {
      faults: accessFaults(readStatements(copy, contract)),
      generated: await generate(copy, contract).catch(String),
    };
  } finally {
    writeFileSync(path, text);
  }
}

describe("what every method states", () => {
  it("is complete in all contracts", () => {
    for (const contract of contractsIn(workspace))
      expect(accessFaults(readStatements(workspace, contract))).toEqual([]);
  });

  const scope = '    option (kinora.access.v1.requires).scope = "account:read";\n';
  it.each<[string, (text: string) => string, RegExp]>([
    [
      "who may call it",
      (text) => text.replace("    option (kinora.access.v1.access) = ACCESS_USER_OR_SERVICE;\n", ""),
      /user\.v1\.QuotaService\.GetQuota \(proto\/user\/v1\/quota_service\.proto\) doesn't state who may call it/,
    ],
    [
      "more than 'nobody knows'",
      (text) => text.replace("ACCESS_USER_OR_SERVICE", "ACCESS_UNSPECIFIED"),
      /GetQuota .* doesn't state who may call it/,
    ],
    ["a scope", (text) => text.replace(scope, ""), /GetQuota .* doesn't state a scope/],
    ["a scope that is one", (text) => text.replace("account:read", "Account"), /GetQuota .* doesn't state a scope/],
    [
      "no scope for everybody",
      (text) => text.replace("ACCESS_USER_OR_SERVICE", "ACCESS_PUBLIC"),
      /GetQuota .* is for everybody, and yet/,
    ],
    [
      "a resource that its request names",
      (text) => text.replace('.resource = "user_id"', '.resource = "video_id"'),
      /SetQuotaLimits .* names the resource video_id/,
    ],
  ])("is %s, or nothing is generated", async (_name, change, message) => {
    const { faults, generated } = await faultsAfter(change);
    expect(faults).toEqual([expect.stringMatching(message)]);
    expect(generated).toMatch(message);
  });
});
