import { createHash } from "node:crypto";
import { ServiceAccountKind } from "@kinora/proto-user";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

let kinora: ServiceUnderTest;
let owner: Person;
let ada: Person;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
  owner = await kinora.owner();
  ada = await kinora.join("Ada");
});
afterAll(() => kinora?.close());

const keysOf = (token?: string) => kinora.as(token).keys;
const exchange = (key: string, options: { scopes?: string[]; audiences?: string[] } = {}) =>
  keysOf().exchangeKey({ key, ...options });
const codeOf = async (call: Promise<unknown>) => (await faultOf(call)).code;
const create = (person: Person, scopes: string[], more: { days?: number; serviceAccountId?: string } = {}) =>
  keysOf(person.accessToken).createKey({ name: "a key", scopes, ...more });
const serviceAccount = async (kind: ServiceAccountKind, scopes: string[] = []) => {
  const name = `robot-${crypto.randomUUID().slice(0, 8)}`;
  const made = await keysOf(owner.accessToken).createServiceAccount({ name, kind, scopes });
  return { name, id: made.serviceAccount?.id ?? "", scopes: made.serviceAccount?.scopes ?? [] };
};

describe("an API key", () => {
  it("is shown once, and kept as a hash", async () => {
    const { key, secret } = await create(ada, ["videos:read"]);
    expect(secret).toMatch(/^kinora_[0-9a-f]{8}_[\w-]{43}$/);
    expect(secret.startsWith(`${key?.prefix}_`)).toBe(true);
    const { rows } = await kinora.database.pool.query(
      "select k::text as row, secret_hash from api_keys k where id = $1",
      [key?.id],
    );
    expect(rows[0].secret_hash).toEqual(createHash("sha256").update(secret).digest());
    expect(rows[0].row).not.toContain(secret.slice(16));
    const { keys } = await keysOf(ada.accessToken).listKeys({});
    expect(keys.map(({ id }) => id)).toContain(key?.id);
  });

  it("is exchanged for a token that can do what the key can, and nothing more", async () => {
    const { secret, key } = await create(ada, ["account:read"]);
    const { accessToken, scopes } = await exchange(secret);
    expect(scopes).toEqual(["account:read"]);
    expect(decodeJwt(accessToken)).toMatchObject({ sub: ada.id, kind: "user", scope: "account:read", key: key?.id });
    const { sessions, users, keys } = kinora.as(accessToken);
    expect(await sessions.getSession({})).toMatchObject({
      sessionId: "",
      keyId: key?.id,
      user: { id: ada.id },
      scopes,
    });
    expect(await codeOf(users.deleteUser({ id: ada.id }))).toBe("PermissionDenied");
    expect(await codeOf(keys.listKeys({}))).toBe("PermissionDenied");
    expect(await codeOf(sessions.endOtherSessions({}))).toBe("PermissionDenied");
  });

  it("gives tokens for fewer scopes and services on request, never for more", async () => {
    const { secret } = await create(ada, ["account:read", "videos:read"]);
    const narrow = await exchange(secret, { scopes: ["videos:read"], audiences: ["encoder"] });
    expect(decodeJwt(narrow.accessToken)).toMatchObject({ scope: "videos:read", aud: ["encoder"] });
    expect(await codeOf(kinora.as(narrow.accessToken).sessions.getSession({}))).toBe("Unauthenticated"); // not for this service
    expect((await exchange(secret, { scopes: ["videos:read", "videos:write"] })).scopes).toEqual(["videos:read"]);
    expect(await codeOf(exchange(secret, { scopes: ["videos:write"] }))).toBe("InvalidArgument");
  });

  it("can't be made stronger than who makes it", async () => {
    for (const scope of ["users:read", "service_accounts:write", "tasks:work", "quota:write", "nonsense"]) {
      expect(await codeOf(create(ada, [scope]))).toBe("InvalidArgument");
    }
    const { secret } = await create(ada, ["keys:write", "videos:read"]);
    const { accessToken } = await exchange(secret);
    expect(await codeOf(keysOf(accessToken).createKey({ name: "k", scopes: ["videos:write"] }))).toBe(
      "InvalidArgument",
    );
    await keysOf(accessToken).createKey({ name: "k", scopes: ["videos:read"] });
  });

  it("ends when it is deleted, at once and twice", async () => {
    const { secret, key } = await create(ada, ["account:read", "account:write"]);
    const { accessToken } = await exchange(secret);
    await keysOf(ada.accessToken).deleteKey({ id: key?.id ?? "" });
    expect(await codeOf(exchange(secret))).toBe("Unauthenticated");
    expect(await codeOf(kinora.as(accessToken).sessions.endOtherSessions({}))).toBe("Unauthenticated");
    expect(await codeOf(keysOf(ada.accessToken).deleteKey({ id: key?.id ?? "" }))).toBe("NotFound");
  });

  it("ends when it was said to, and with its account", async () => {
    const person = await kinora.join("Eve");
    const { secret } = await create(person, ["account:read"], { days: 1 });
    const { secret: endless } = await create(person, ["videos:read"]);
    kinora.advance(86_400_000 - 60_000);
    const { accessToken } = await exchange(secret);
    await kinora.as(accessToken).sessions.getSession({});
    kinora.advance(60_000);
    expect(await codeOf(exchange(secret))).toBe("Unauthenticated");
    // Its last token is good for nine minutes more, but not where it is asked what the token came from.
    expect(await codeOf(kinora.as(accessToken).sessions.getSession({}))).toBe("Unauthenticated");
    await exchange(endless);
    await kinora.database.pool.query("update users set disable_time = now() where id = $1", [person.id]);
    expect(await codeOf(exchange(endless))).toBe("Unauthenticated");
    // A day has passed.
    owner = await kinora.owner();
    ada = await kinora.login(ada.email, ada.password);
  });

  it("says when it was last used, to the minute, and the audit log when it first was", async () => {
    const { secret, key } = await create(ada, ["videos:read"]);
    const lastUse = async () => {
      const { keys } = await keysOf(ada.accessToken).listKeys({});
      return keys.find(({ id }) => id === key?.id)?.lastUseTime?.seconds;
    };
    expect(await lastUse()).toBeUndefined();
    await exchange(secret);
    const first = await lastUse();
    await exchange(secret);
    expect(await lastUse()).toBe(first);
    kinora.advance(61_000);
    await exchange(secret);
    expect(Number(await lastUse())).toBeGreaterThan(Number(first));
    const { rows } = await kinora.database.pool.query(
      "select count(*)::int as n from audit_events where type = 'key.used_first' and details->>'keyId' = $1",
      [key?.id],
    );
    expect(rows[0].n).toBe(1);
  });

  it("is nobody else's to see or end", async () => {
    const bob = await kinora.join("Bob");
    const { key } = await create(ada, ["videos:read"]);
    expect((await keysOf(bob.accessToken).listKeys({})).keys).toEqual([]);
    for (const person of [bob, owner])
      expect(await codeOf(keysOf(person.accessToken).deleteKey({ id: key?.id ?? "" }))).toBe("NotFound");
  });

  it.each(["nonsense", "kinora_00000000_", `kinora_00000000_${"A".repeat(43)}`, "👍\0"])(
    "that never was (%j) is worth nothing",
    async (key) => {
      expect(await codeOf(exchange(key))).toBe("Unauthenticated");
    },
  );

  it("can be had a hundred times, not more", async () => {
    const person = await kinora.join("Ivy");
    for (let count = 0; count < 100; count++) await create(person, ["videos:read"]);
    expect(await codeOf(create(person, ["videos:read"]))).toBe("FailedPrecondition");
  });

  it("of an administrator who isn't one any more loses what administrators have", async () => {
    const person = await kinora.join("Max");
    const setRole = (role: string) =>
      kinora.database.pool.query("update users set role = $2 where id = $1", [person.id, role]);
    await setRole("admin");
    const admin = await kinora.login(person.email, person.password);
    const { secret } = await create(admin, ["users:read", "videos:read"]);
    expect((await exchange(secret)).scopes).toEqual(["users:read", "videos:read"]);
    await setRole("member");
    expect((await exchange(secret)).scopes).toEqual(["videos:read"]);
  });
});

describe("a service account", () => {
  it("of a worker leases tasks and can do nothing else", async () => {
    const { id, scopes } = await serviceAccount(ServiceAccountKind.WORKER);
    expect(scopes).toEqual(["tasks:work"]);
    const { secret } = await create(owner, ["tasks:work"], { serviceAccountId: id });
    const { accessToken } = await exchange(secret);
    expect(decodeJwt(accessToken)).toMatchObject({ sub: id, kind: "worker", scope: "tasks:work" });
    const { sessions, users, quotas } = kinora.as(accessToken);
    expect(await codeOf(sessions.getSession({}))).toBe("PermissionDenied");
    expect(await codeOf(users.getUser({ id: ada.id }))).toBe("PermissionDenied");
    expect(await codeOf(quotas.getQuota({ userId: ada.id }))).toBe("PermissionDenied");
  });

  it("of a service has the scopes that it was given", async () => {
    const { id } = await serviceAccount(ServiceAccountKind.SERVICE, ["quota:write"]);
    const { secret } = await create(owner, ["quota:write"], { serviceAccountId: id });
    const { quotas, users } = kinora.as((await exchange(secret)).accessToken);
    const reservationId = crypto.randomUUID();
    await quotas.reserveQuota({ reservationId, userId: ada.id, seconds: 1 });
    await quotas.releaseQuota({ reservationId });
    expect(await codeOf(users.getUser({ id: ada.id }))).toBe("PermissionDenied");
    expect(await codeOf(create(owner, ["account:read"], { serviceAccountId: id }))).toBe("InvalidArgument");
  });

  it("of a program is a user of its own, with a quota", async () => {
    const { id, scopes } = await serviceAccount(ServiceAccountKind.PROGRAM);
    expect(scopes).toEqual(expect.arrayContaining(["videos:read", "videos:write"]));
    const { secret } = await create(owner, ["account:read", "keys:read"], { serviceAccountId: id });
    const { accessToken } = await exchange(secret);
    const { sessions, quotas, keys } = kinora.as(accessToken);
    const self = await sessions.getSession({});
    expect(self).toMatchObject({ serviceAccountId: id, sessionId: "" });
    expect(self.user).toBeUndefined();
    await quotas.getQuota({ userId: id });
    expect(await codeOf(quotas.getQuota({ userId: ada.id }))).toBe("NotFound");
    expect((await keys.listKeys({})).keys.length).toBe(1);
  });

  it("goes with its keys, twice if need be", async () => {
    const { id } = await serviceAccount(ServiceAccountKind.PROGRAM);
    const { secret } = await create(owner, ["account:read"], { serviceAccountId: id });
    const { accessToken } = await exchange(secret);
    await keysOf(owner.accessToken).deleteServiceAccount({ id });
    await keysOf(owner.accessToken).deleteServiceAccount({ id });
    expect(await codeOf(exchange(secret))).toBe("Unauthenticated");
    expect(await codeOf(kinora.as(accessToken).sessions.getSession({}))).toBe("Unauthenticated");
  });

  it("is the administrators' affair", async () => {
    const { id, name } = await serviceAccount(ServiceAccountKind.WORKER);
    const { secret } = await create(owner, ["tasks:work"], { serviceAccountId: id });
    const { accessToken: worker } = await exchange(secret);
    const kind = ServiceAccountKind.WORKER;
    for (const token of [ada.accessToken, worker]) {
      expect(await codeOf(keysOf(token).createServiceAccount({ name: "x", kind }))).toBe("PermissionDenied");
      expect(await codeOf(keysOf(token).listServiceAccounts({}))).toBe("PermissionDenied");
      expect(await codeOf(keysOf(token).deleteServiceAccount({ id }))).toBe("PermissionDenied");
    }
    expect(await codeOf(create(ada, ["tasks:work"], { serviceAccountId: id }))).toBe("NotFound");
    expect(await codeOf(keysOf(ada.accessToken).listKeys({ serviceAccountId: id }))).toBe("NotFound");
    expect(await codeOf(keysOf(owner.accessToken).createServiceAccount({ name, kind }))).toBe("AlreadyExists");
    expect(
      (await keysOf(owner.accessToken).listServiceAccounts({})).serviceAccounts.map((account) => account.id),
    ).toContain(id);
  });

  it.each([
    ["a name that is none", { name: "Not A Name", kind: ServiceAccountKind.WORKER }],
    ["no kind", { name: "x" }],
    ["scopes of another kind", { name: "x", kind: ServiceAccountKind.WORKER, scopes: ["videos:read"] }],
  ])("isn't made with %s", async (_name, request) => {
    expect(await codeOf(keysOf(owner.accessToken).createServiceAccount(request))).toBe("InvalidArgument");
  });
});
