import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { localCredential } from "@kinora/service";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultOf, type ServiceUnderTest, serviceToken, startServiceUnderTest } from "../testing/service-under-test.ts";

const configured = "kinora_configured_key-of-the-encoder-in-this-test";
let kinora: ServiceUnderTest;
let owner: string;
beforeAll(async () => {
  kinora = await startServiceUnderTest({ keys: { encoder: configured } });
  owner = (await kinora.owner()).accessToken;
});
afterAll(() => kinora?.close());

const exchange = (key: string) => kinora.as().keys.exchangeKey({ key });
const codeOf = async (call: Promise<unknown>) => (await faultOf(call)).code;
const accounts = async () => (await kinora.as(owner).keys.listServiceAccounts({})).serviceAccounts;
const accountNamed = async (name: string) => (await accounts()).find((account) => account.name === name);

describe("a key that the installation begins with", () => {
  it("is registered when it is first exchanged, once, however many come at the same time", async () => {
    expect(await accounts()).toEqual([]);
    const tokens = await Promise.all(Array.from({ length: 8 }, () => exchange(configured)));
    const account = await accountNamed("kinora-encoder");
    for (const { accessToken } of tokens)
      expect(decodeJwt(accessToken)).toMatchObject({ sub: account?.id, kind: "service" });
    const { keys } = await kinora.as(owner).keys.listKeys({ serviceAccountId: account?.id ?? "" });
    expect(keys.map(({ name, prefix }) => ({ name, prefix }))).toEqual([{ name: "built-in", prefix: "" }]);
    const { rows } = await kinora.database.pool.query(
      "select type from audit_events where details->>'serviceAccountId' = $1::text or user_id = $1::uuid",
      [account?.id],
    );
    const types: string[] = rows.map(({ type }) => type).filter((type) => type !== "key.used_first");
    expect(types.sort()).toEqual(["key.created", "service_account.created"]);
  });

  it("is the one that a worker of this machine left in the data folder, whoever starts first", async () => {
    const key = await localCredential(kinora.dataDir, "worker-key");
    expect(key).toMatch(/^kinora_[0-9a-f]{8}_[\w-]{43}$/);
    const { accessToken, scopes } = await exchange(key);
    expect(scopes).toEqual(["tasks:work"]);
    expect(decodeJwt(accessToken)).toMatchObject({ kind: "worker" });
  });

  it("can do what this release's contracts let it, where it calls, and nothing elsewhere", async () => {
    // As an earlier release would have made them.
    for (const table of ["service_accounts", "api_keys"]) {
      await kinora.database.pool.query(
        `update ${table} set scopes = '{quota:write}' where name in ('kinora-encoder', 'built-in')`,
      );
    }
    const { scopes } = await exchange(configured);
    expect(scopes).toEqual(expect.arrayContaining(["account:read", "quota:write"]));
    expect(scopes).not.toContain("accounts:erase");
    expect(decodeJwt((await exchange(configured)).accessToken).aud).not.toContain("encoder");
    // One that an administrator made for the same account has what it was given.
    const id = (await accountNamed("kinora-encoder"))?.id ?? "";
    const { secret } = await kinora
      .as(owner)
      .keys.createKey({ name: "built-in", scopes: ["quota:write"], serviceAccountId: id });
    expect((await exchange(secret)).scopes).toEqual(["quota:write"]);
  });

  it("is worth nothing while its account is disabled, also after a restart", async () => {
    const account = await accountNamed("kinora-encoder");
    const { accessToken } = await exchange(configured);
    expect(await kinora.as(serviceToken).sessions.introspectToken({ accessToken })).toMatchObject({
      active: true,
      subject: account?.id,
      scopes: expect.arrayContaining(["quota:write"]),
      role: 0,
    });
    const { keys } = kinora.as(owner);
    const { serviceAccount } = await keys.disableServiceAccount({ id: account?.id ?? "" });
    expect(serviceAccount?.disableTime).toBeDefined();
    expect(await kinora.as(serviceToken).sessions.introspectToken({ accessToken })).toEqual(
      expect.objectContaining({ active: false }),
    );
    await keys.disableServiceAccount({ id: account?.id ?? "" });
    expect(await codeOf(exchange(configured))).toBe("Unauthenticated");
    await kinora.restart();
    expect(await codeOf(exchange(configured))).toBe("Unauthenticated");
    await kinora.as(owner).keys.enableServiceAccount({ id: account?.id ?? "" });
    await exchange(configured);
    const { rows } = await kinora.database.pool.query(
      "select type from audit_events where type like 'service_account.%abled' order by id",
    );
    expect(rows.map(({ type }) => type)).toEqual(["service_account.disabled", "service_account.enabled"]);
  });

  it("can't be deleted while it is set, as it would come back; one that isn't any more can", async () => {
    const { keys } = kinora.as(owner);
    const id = (await accountNamed("kinora-worker"))?.id ?? "";
    const { keys: before } = await keys.listKeys({ serviceAccountId: id });
    expect(await codeOf(keys.deleteKey({ id: before[0]?.id ?? "" }))).toBe("FailedPrecondition");
    expect(await codeOf(keys.deleteServiceAccount({ id }))).toBe("FailedPrecondition");
    const old = await localCredential(kinora.dataDir, "worker-key");
    await rm(join(kinora.dataDir, "credentials/worker-key"));
    await keys.deleteKey({ id: before[0]?.id ?? "" });
    expect(await codeOf(exchange(old))).toBe("Unauthenticated");
  });

  it("that can't be read is none, and the log says so", async () => {
    await mkdir(join(kinora.dataDir, "credentials"), { recursive: true });
    await writeFile(join(kinora.dataDir, "credentials/worker-key"), "short");
    expect(await codeOf(exchange("short"))).toBe("Unauthenticated");
    expect(kinora.lines.some((line) => line.includes("can't be read"))).toBe(true);
  });

  it("isn't the key of an account of another kind that has its name", async () => {
    const name = "kinora-worker";
    await kinora.database.pool.query("delete from service_accounts where name = $1", [name]);
    await kinora.as(owner).keys.createServiceAccount({ name, kind: 2 });
    await rm(join(kinora.dataDir, "credentials/worker-key"));
    const key = await localCredential(kinora.dataDir, "worker-key");
    expect(await codeOf(exchange(key))).toBe("Unauthenticated");
    expect(kinora.lines.some((line) => line.includes("of another kind has the name"))).toBe(true);
  });
});

it("the user service's own tokens are good at the encoder alone, and are renewed", async () => {
  let ownToken = async () => "";
  const other = await startServiceUnderTest({
    encoder(token) {
      ownToken = token;
      return undefined as never; // nothing is deleted here
    },
  });
  try {
    const first = await ownToken();
    expect(decodeJwt(first)).toMatchObject({ sub: "kinora-user", kind: "service", aud: ["encoder"] });
    expect(await ownToken()).toBe(first);
    expect(await codeOf(other.as(first).quotas.getQuota({ userId: crypto.randomUUID() }))).toBe("Unauthenticated");
    other.advance(5 * 60_000);
    expect(await ownToken()).not.toBe(first);
  } finally {
    await other.close();
  }
});
