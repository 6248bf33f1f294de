import { create } from "@bufbuild/protobuf";
import { Role, UserSchema } from "@kinora/proto-user";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  faultOf,
  type Person,
  type ServiceUnderTest,
  serviceToken,
  startServiceUnderTest,
} from "../testing/service-under-test.ts";

let kinora: ServiceUnderTest;
let ada: Person;
let bob: Person;
let admin: Person;
let owner: Person;
const nobody = "00000000-0000-4000-8000-000000000000";
const password = "fifteen chars !";

beforeAll(async () => {
  kinora = await startServiceUnderTest();
  owner = await kinora.owner();
  ada = await kinora.join("Ada");
  bob = await kinora.join("Bob");
  const { id, email, password } = await kinora.join("Admin");
  await kinora
    .as(owner.accessToken)
    .users.updateUser({ id, user: { role: Role.ADMIN }, updateMask: { paths: ["role"] } });
  admin = await kinora.login(email, password);
});
afterAll(() => kinora?.close());

const users = (person?: Person) => kinora.as(person?.accessToken).users;

describe("CreateUser", () => {
  it("makes a member and says nothing of the password", async () => {
    const { user } = await users().createUser({
      email: "Grace@Example.com",
      name: "  Grace ",
      birthDate: "1906-12-09",
      password,
    });
    expect(user).toMatchObject({
      email: "Grace@Example.com",
      name: "Grace",
      birthDate: "1906-12-09",
      role: Role.MEMBER,
    });
    expect(user?.createTime).toEqual(user?.updateTime);
    const { rows } = await kinora.database.pool.query("select password_hash from users where id = $1", [user?.id]);
    expect(rows[0].password_hash).toMatch(/^\$argon2id\$v=19\$/);
  });

  it.each([
    ["an address that isn't one", { email: "grace" }, ["email"]],
    ["an address with a null byte", { email: "gr\0ace@example.com" }, ["email"]],
    ["an over-long address", { email: `${"x".repeat(250)}@example.com` }, ["email"]],
    ["look-alike letters in an address", { email: "аda@example.com" }, ["email"]], // Cyrillic а
    ["no name", { name: "" }, ["name"]],
    ["an over-long name", { name: "👍".repeat(201) }, ["name"]],
    ["a name of look-alike spaces", { name: "\u3000\u00A0\u200B" }, ["name"]],
    ["a name with a null byte", { name: "Gr\0ace" }, ["name"]],
    ["a date of another form", { birthDate: "9.12.1906" }, ["birth_date"]],
    ["a day that doesn't exist", { birthDate: "2001-02-29" }, ["birth_date"]],
    ["a day to come", { birthDate: "9999-01-01" }, ["birth_date"]],
    ["a password of 14 characters", { password: "x".repeat(14) }, ["password"]],
    ["a password of 14 emoji", { password: "👍".repeat(14) }, ["password"]],
    ["a password of 1001 characters", { password: "x".repeat(1001) }, ["password"]],
    ["two faults", { name: "\u200B", birthDate: "2001-02-29" }, ["name", "birth_date"]],
  ])("refuses %s", async (_what, wrong, fields) => {
    const call = users().createUser({ email: "wrong@example.com", name: "Wrong", password, ...wrong });
    expect(await faultOf(call)).toMatchObject({ code: "InvalidArgument", fields });
  });

  it.each([
    ["15 characters", "twenty one lines"],
    ["1000 emoji", Array.from({ length: 1000 }, (_, at) => String.fromCodePoint(0x1f300 + ((at * 7) % 300))).join("")],
    ["null bytes and line ends", "pass\0word\nwith\tall"],
  ])("takes a password of %s", async (_what, secret) => {
    const email = `${crypto.randomUUID()}@example.com`;
    await users().createUser({ email, name: "N", password: secret });
    expect((await kinora.login(email, secret)).id).not.toBe("");
  });

  it("tells nobody but administrators that an address has an account, in any case", async () => {
    const request = { email: ada.email.toUpperCase(), name: "Other", password };
    expect(await faultOf(users(admin).createUser(request))).toMatchObject({ code: "AlreadyExists", fields: [] });
    const { user } = await users().createUser(request);
    expect(user).toMatchObject({ email: request.email, name: "Other", role: Role.MEMBER });
    expect((await faultOf(users(admin).getUser({ id: user?.id ?? "" }))).code).toBe("NotFound");
    await kinora.login(ada.email, ada.password);
  });

  it("gives an address to one of two who ask at the same moment", async () => {
    const ask = () => users().createUser({ email: "rivals@example.com", name: "Racer", password });
    const answers = await Promise.all([ask(), ask()]);
    const made = (await users(admin).listUsers({ query: "rivals@example.com" })).users;
    expect(made.length).toBe(1);
    expect(answers.map(({ user }) => user?.id)).toContain(made[0]?.id);
  });
});

describe("GetUser", () => {
  it("answers name, age and the whole account", async () => {
    const grown = await users().createUser({
      email: "aged@example.com",
      name: "Aged",
      birthDate: "2000-01-01",
      password,
    });
    const { name, age, user } = await kinora.as(serviceToken).users.getUser({ id: grown.user?.id ?? "" });
    expect({ name, age, user }).toEqual({ name: "Aged", age: kinora.now().getUTCFullYear() - 2000, user: grown.user });
  });

  it("has age 0 for those whose birth date isn't known", async () => {
    expect(await users(ada).getUser({ id: ada.id })).toMatchObject({ name: "Ada", age: 0 });
  });

  it("takes an identifier in capitals", async () => {
    expect((await users(ada).getUser({ id: ada.id.toUpperCase() })).user?.id).toBe(ada.id);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ["themselves", () => users(ada).getUser({ id: ada.id }), "seen"],
    ["others", () => users(ada).getUser({ id: bob.id }), "NotFound"],
    ["the owner", () => users(ada).getUser({ id: owner.id }), "NotFound"],
    ["nobody", () => users(ada).getUser({ id: nobody }), "NotFound"],
    ["others, as admin", () => users(admin).getUser({ id: bob.id }), "seen"],
    ["others, as owner", () => users(owner).getUser({ id: bob.id }), "seen"],
    ["others, as a service", () => kinora.as(serviceToken).users.getUser({ id: bob.id }), "seen"],
    ["nobody, as admin", () => users(admin).getUser({ id: nobody }), "NotFound"],
    ["others, as nobody", () => users().getUser({ id: bob.id }), "Unauthenticated"],
    [
      "with a foreign token",
      () => kinora.as("eyJhbGciOiJub25lIn0.e30.").users.getUser({ id: bob.id }),
      "Unauthenticated",
    ],
    ["what isn't an identifier", () => users(admin).getUser({ id: "1 or 1=1" }), "InvalidArgument"],
    ["nothing", () => users(admin).getUser({}), "InvalidArgument"],
  ])("shows people %s: %#", async (_whom, call, expected) => {
    if (expected === "seen") await call();
    else expect((await faultOf(call())).code).toBe(expected);
  });
});

describe("ListUsers", () => {
  it("pages through everybody once, oldest first, while accounts come and go", async () => {
    const before = (await users(admin).listUsers({ pageSize: 1000 })).users.map(({ id }) => id);
    const doomed = await users().createUser({ email: "doomed@example.com", name: "Doomed", password });
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await users(admin).listUsers({ pageSize: 2, pageToken });
      expect(page.users.length).toBeLessThanOrEqual(2);
      seen.push(...page.users.map(({ id }) => id));
      pageToken = page.nextPageToken;
      if (seen.length === 2) await users(admin).deleteUser({ id: doomed.user?.id ?? "" });
    } while (pageToken !== "");
    expect(seen).toEqual(before);
    expect(seen[0]).toBe(owner.id);
  });

  it("has no further page after exactly the last one", async () => {
    const { users: all } = await users(owner).listUsers({ pageSize: 1000 });
    expect((await users(owner).listUsers({ pageSize: all.length })).nextPageToken).toBe("");
    expect((await users(owner).listUsers({ pageSize: all.length - 1 })).nextPageToken).not.toBe("");
  });

  it("separates accounts of the same millisecond", async () => {
    const time = new Date("2020-01-01T00:00:00.123Z");
    const ids = Array.from({ length: 5 }, () => crypto.randomUUID()).toSorted();
    for (const id of ids) {
      await kinora.database.pool.query(
        "insert into users select $1, $2, $2, name, birth_date, password_hash, role, $3, $3 from users where id = $4",
        [id, `${id}@example.com`, time, ada.id],
      );
    }
    const seen: string[] = [];
    let pageToken = "";
    while (seen.length < 5) {
      const page = await users(admin).listUsers({ pageSize: 1, pageToken });
      seen.push(...page.users.map(({ id }) => id));
      pageToken = page.nextPageToken;
    }
    expect(seen).toEqual(ids);
  });

  it.each([
    ["a token of its own making", { pageToken: "AAAA" }, ["page_token"]],
    ["a token with a null byte", { pageToken: "\0" }, ["page_token"]],
    ["an over-long token", { pageToken: "A".repeat(501) }, ["page_token"]],
    ["a page of 1001", { pageSize: 1001 }, ["page_size"]],
    ["a page of -1", { pageSize: -1 }, ["page_size"]],
  ])("refuses %s", async (_what, request, fields) => {
    expect(await faultOf(users(admin).listUsers(request))).toMatchObject({ code: "InvalidArgument", fields });
  });

  it("is for those who manage, and for services", async () => {
    expect((await faultOf(users(ada).listUsers({}))).code).toBe("PermissionDenied");
    expect((await faultOf(users().listUsers({}))).code).toBe("Unauthenticated");
    expect((await kinora.as(serviceToken).users.listUsers({})).users.length).toBeGreaterThan(0);
  });
});

describe("UpdateUser", () => {
  it("changes what the mask names and nothing else", async () => {
    const { user: before } = await users(ada).getUser({ id: ada.id });
    kinora.advance(5);
    const user = { id: bob.id, email: "new@example.com", name: " Zoe\u0308 ", birthDate: "not read", role: Role.OWNER };
    const { user: after } = await users(ada).updateUser({ id: ada.id, user, updateMask: { paths: ["name"] } });
    expect(after).toEqual({ ...before, name: "Zoë", updateTime: after?.updateTime });
    expect(after?.updateTime).not.toEqual(before?.updateTime);
    const born = { id: ada.id, user: { birthDate: "2004-02-29" }, updateMask: { paths: ["birth_date"] } };
    expect((await users(ada).updateUser(born)).user).toMatchObject({ name: "Zoë", birthDate: "2004-02-29" });
    const unknown = { id: ada.id, user: {}, updateMask: { paths: ["birth_date"] } };
    expect((await users(ada).updateUser(unknown)).user?.birthDate).toBe("");
  });

  it.each([
    ["an unknown path", { paths: ["shoe_size"] }, {}, ["update_mask.paths[0]"]],
    ["a path that can't change", { paths: ["name", "email"] }, { name: "N" }, ["update_mask.paths[1]"]],
    ["an empty mask", { paths: [] }, {}, ["update_mask.paths"]],
    ["no mask", undefined, {}, ["update_mask"]],
    ["an empty name", { paths: ["name"] }, {}, ["user.name"]],
    ["a null byte", { paths: ["name"] }, { name: "a\0" }, ["user.name"]],
    ["an over-long name", { paths: ["name"] }, { name: "x".repeat(201) }, ["user.name"]],
    ["a wrong date", { paths: ["birth_date"] }, { birthDate: "2023-02-30" }, ["user.birth_date"]],
    ["a role that isn't set", { paths: ["role"] }, {}, ["user.role"]],
  ])("refuses %s", async (_what, updateMask, user, fields) => {
    const request = { id: admin.id, user: create(UserSchema, user), ...(updateMask && { updateMask }) };
    expect(await faultOf(users(admin).updateUser(request))).toMatchObject({ code: "InvalidArgument", fields });
  });

  it("needs the user to read from", async () => {
    const call = users(ada).updateUser({ id: ada.id, updateMask: { paths: ["name"] } });
    expect(await faultOf(call)).toMatchObject({ code: "InvalidArgument", fields: ["user"] });
  });

  const rename = (id: string) => ({ id, user: { name: "Renamed" }, updateMask: { paths: ["name"] } });
  const promote = (id: string, role: Role) => ({ id, user: { role }, updateMask: { paths: ["role"] } });

  it.each<[string, () => Promise<unknown>, string]>([
    ["others", () => users(ada).updateUser(rename(bob.id)), "NotFound"],
    ["nobody", () => users(admin).updateUser(rename(nobody)), "NotFound"],
    ["their own role", () => users(ada).updateUser(promote(ada.id, Role.ADMIN)), "PermissionDenied"],
    ["anything as nobody", () => users().updateUser(rename(ada.id)), "Unauthenticated"],
    ["anything as a service", () => kinora.as(serviceToken).users.updateUser(rename(ada.id)), "PermissionDenied"],
    ["the owner, as admin", () => users(admin).updateUser(rename(owner.id)), "PermissionDenied"],
    [
      "somebody into an owner, as admin",
      () => users(admin).updateUser(promote(bob.id, Role.OWNER)),
      "PermissionDenied",
    ],
    [
      "somebody into an admin, as admin",
      () => users(admin).updateUser(promote(bob.id, Role.ADMIN)),
      "PermissionDenied",
    ],
    [
      "the last owner into a member",
      () => users(owner).updateUser(promote(owner.id, Role.MEMBER)),
      "FailedPrecondition",
    ],
  ])("doesn't let people change %s", async (_what, call, code) => {
    expect((await faultOf(call())).code).toBe(code);
  });

  it("goes by the role of this moment, not by the token's", async () => {
    const deposed = await kinora.join("Deposed");
    await users(owner).updateUser(promote(deposed.id, Role.ADMIN));
    const { accessToken } = await kinora.login(deposed.email, deposed.password);
    await users(owner).updateUser(promote(deposed.id, Role.MEMBER));
    expect((await faultOf(kinora.as(accessToken).users.updateUser(rename(bob.id)))).code).toBe("NotFound");
  });
});

describe("DeleteUser", () => {
  it("ends the account, its sessions and its name's hold on the address", async () => {
    const doomed = await kinora.join("Doomed");
    const clients = kinora.as(doomed.accessToken);
    await clients.users.deleteUser({ id: doomed.id });
    expect((await faultOf(clients.sessions.getSession({}))).code).toBe("Unauthenticated");
    expect((await faultOf(clients.sessions.refreshSession({ refreshToken: doomed.refreshToken }))).code).toBe(
      "Unauthenticated",
    );
    expect((await faultOf(clients.users.getUser({ id: doomed.id }))).code).toBe("NotFound");
    expect((await faultOf(kinora.login(doomed.email, doomed.password))).code).toBe("Unauthenticated");
    await clients.users.deleteUser({ id: doomed.id }); // repeated: its answer may have been lost
    await users(admin).deleteUser({ id: doomed.id });
    expect((await faultOf(users(bob).deleteUser({ id: doomed.id }))).code).toBe("NotFound");
    const update = { id: doomed.id, user: { name: "x" }, updateMask: { paths: ["name"] } };
    expect((await faultOf(clients.users.updateUser(update))).code).toBe("Unauthenticated");
    const { user } = await users().createUser({ email: doomed.email, name: "Heir", password });
    expect(user?.id).not.toBe(doomed.id);
  });

  it("happens once when asked twice at the same moment", async () => {
    const doomed = await kinora.join("Doomed");
    const call = () => users(doomed).deleteUser({ id: doomed.id });
    await Promise.all([call(), call(), users(admin).deleteUser({ id: doomed.id })]);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ["others", () => users(ada).deleteUser({ id: bob.id }), "NotFound"],
    ["nobody", () => users(admin).deleteUser({ id: nobody }), "NotFound"],
    ["the owner", () => users(owner).deleteUser({ id: owner.id }), "FailedPrecondition"],
    ["the owner, as admin", () => users(admin).deleteUser({ id: owner.id }), "PermissionDenied"],
    ["the owner, as member", () => users(ada).deleteUser({ id: owner.id }), "NotFound"],
    ["anybody as nobody", () => users().deleteUser({ id: ada.id }), "Unauthenticated"],
    ["what isn't an identifier", () => users(ada).deleteUser({ id: "x" }), "InvalidArgument"],
  ])("doesn't let people delete %s", async (_what, call, code) => {
    expect((await faultOf(call())).code).toBe(code);
  });
});

describe("with sign-up closed", () => {
  it("only administrators and the owner make accounts", async () => {
    const closed = await startServiceUnderTest({ signUp: "closed" });
    try {
      const request = { email: "guest@example.com", name: "Guest", password };
      expect((await faultOf(closed.as().users.createUser(request))).code).toBe("PermissionDenied");
      expect((await faultOf(closed.as(serviceToken).users.createUser(request))).code).toBe("PermissionDenied");
      const member = await closed.join("Member"); // made by the owner
      expect((await faultOf(closed.as(member.accessToken).users.createUser(request))).code).toBe("PermissionDenied");
    } finally {
      await closed.close();
    }
  });
});
