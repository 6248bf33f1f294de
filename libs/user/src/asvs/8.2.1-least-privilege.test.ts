import { Role, ServiceAccountKind } from "@kinora/proto-user";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

// ASVS 8.2.1: a credential does what it is for, and nobody gets more than they have by a detour: a key, a service account, an invitation.

let kinora: ServiceUnderTest;
let owner: Person;
let admin: Person;
let ada: Person;
beforeAll(async () => {
  kinora = await startServiceUnderTest({ signUp: "invitation" });
  owner = await kinora.owner();
  admin = await joinAs(Role.ADMIN);
  ada = await joinAs(Role.MEMBER);
});
afterAll(() => kinora?.close());

const codeOf = async (call: Promise<unknown>) => (await faultOf(call)).code;
const setRole = (id: string, role: Role) =>
  kinora.as(owner.accessToken).users.updateUser({ id, user: { role }, updateMask: { paths: ["role"] } });
let people = 0;
async function joinAs(role: Role): Promise<Person> {
  people += 1;
  const [email, password] = [`somebody${people}@example.com`, `seventeen swans went west ${people}`];
  const { user } = await kinora.as(owner.accessToken).users.createUser({ email, name: "Somebody", password });
  if (role !== Role.MEMBER) await setRole(user?.id ?? "", role);
  return await kinora.login(email, password);
}
async function tokenFor(person: Person, scopes: string[], serviceAccountId = ""): Promise<string> {
  const { keys } = kinora.as(person.accessToken);
  const { secret } = await keys.createKey({ name: "a key", scopes, serviceAccountId });
  return (await keys.exchangeKey({ key: secret })).accessToken;
}

describe("a key for one's own account is none for others'", () => {
  it("whatever the role of its maker", async () => {
    const { users, quotas } = kinora.as(await tokenFor(owner, ["account:read", "account:write"]));
    const promote = { id: ada.id, user: { role: Role.OWNER }, updateMask: { paths: ["role"] } };
    expect(await codeOf(users.updateUser(promote))).toBe("PermissionDenied");
    expect(await codeOf(users.deleteUser({ id: ada.id }))).toBe("PermissionDenied");
    expect(await codeOf(users.getUser({ id: ada.id }))).toBe("NotFound");
    expect(await codeOf(quotas.getQuota({ userId: ada.id }))).toBe("NotFound");
    expect((await users.getUser({ id: owner.id })).name).not.toBe("");
    expect((await kinora.as(owner.accessToken).users.getUser({ id: ada.id })).user?.role).toBe(Role.MEMBER);
  });

  it("nor one that reads what others did", async () => {
    await kinora.login(ada.email, ada.password);
    const whose = async (token: string, userId = "") => {
      const { events } = await kinora.as(token).audit.listAuditEvents({ userId, pageSize: 1000 });
      return new Set(events.map((event) => event.userId));
    };
    const narrow = await tokenFor(owner, ["audit:read"]);
    expect(await whose(narrow)).toEqual(new Set([owner.id]));
    expect(await codeOf(whose(narrow, ada.id))).toBe("NotFound");
    const wide = await tokenFor(owner, ["audit:read", "users:read"]);
    expect(await whose(wide)).toContain(ada.id);
    expect(await whose(wide, ada.id)).toEqual(new Set([ada.id]));
    expect(await whose(owner.accessToken)).toContain(ada.id);
  });

  it("nor one that makes accounts where people can't sign up", async () => {
    const request = { email: "crony@example.com", name: "Crony", password: "seventeen swans went west" };
    const narrow = kinora.as(await tokenFor(owner, ["videos:read", "account:write"]));
    expect(await codeOf(narrow.users.createUser(request))).toBe("PermissionDenied");
    await kinora.as(await tokenFor(owner, ["users:write"])).users.createUser(request);
  });
});

describe("what reaches everybody's videos", () => {
  it.each([ServiceAccountKind.SERVICE, ServiceAccountKind.WORKER])("is an owner's to make (%i)", async (kind) => {
    const make = (by: Person) =>
      kinora.as(by.accessToken).keys.createServiceAccount({ name: `robot-${crypto.randomUUID().slice(0, 8)}`, kind });
    expect(await codeOf(make(admin))).toBe("PermissionDenied");
    const { serviceAccount } = await make(owner);
    const { id: serviceAccountId = "", scopes = [] } = serviceAccount ?? {};
    const key = { name: "k", scopes, serviceAccountId };
    expect(await codeOf(kinora.as(admin.accessToken).keys.createKey(key))).toBe("PermissionDenied");
    await kinora.as(owner.accessToken).keys.createKey(key);
    await kinora.as(admin.accessToken).keys.disableServiceAccount({ id: serviceAccountId });
  });

  it("isn't a program, which administrators make", async () => {
    const { keys } = kinora.as(admin.accessToken);
    const { serviceAccount } = await keys.createServiceAccount({ name: "robot", kind: ServiceAccountKind.PROGRAM });
    await keys.createKey({ name: "k", scopes: ["videos:read"], serviceAccountId: serviceAccount?.id ?? "" });
  });
});

describe("an invitation", () => {
  const accept = async (email: string) => {
    const { code } = await kinora.mailbox.next(email, /invited/);
    return () =>
      kinora.as().users.createUser({ email, name: "G", password: "seventeen swans went west", invitation: code });
  };

  it.each(["demoted", "disabled", "deleted"])("lapses when its sender is %s", async (fate) => {
    const sender = await joinAs(Role.OWNER);
    const email = `${fate}@example.com`;
    await kinora.as(sender.accessToken).invitations.createInvitation({ email, role: Role.OWNER });
    const acceptNow = await accept(email);
    const { users } = kinora.as(owner.accessToken);
    if (fate === "demoted") await setRole(sender.id, Role.ADMIN);
    if (fate === "disabled") await users.disableUser({ id: sender.id });
    if (fate === "deleted") await users.deleteUser({ id: sender.id });
    expect(await codeOf(acceptNow())).toBe("PermissionDenied");
    if (fate !== "disabled") return;
    await users.enableUser({ id: sender.id });
    expect((await acceptNow()).user?.role).toBe(Role.OWNER);
  });
});
