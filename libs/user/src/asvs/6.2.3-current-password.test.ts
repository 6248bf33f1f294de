import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recentMs } from "../check/assurance.ts";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

// ASVS 6.2.3: changing a password needs the current one. 7.5.1: so does changing the address or second factors need a recent login.

let kinora: ServiceUnderTest;
let ada: Person;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
  ada = await kinora.join("Ada");
});
afterAll(() => kinora?.close());
const as = (person: Person) => kinora.as(person.accessToken);

describe("changing the password", () => {
  const newPassword = "seventeen swans went west";

  it("needs the current one, however fresh the login", async () => {
    const call = as(ada).accounts.changePassword({ currentPassword: "not the current one", newPassword });
    expect((await faultOf(call)).code).toBe("Unauthenticated");
    await kinora.login(ada.email, ada.password);
  });

  it("is throttled like a login", async () => {
    const eve = await kinora.join("Eve");
    const guess = () => faultOf(as(eve).accounts.changePassword({ currentPassword: "a wrong guess", newPassword }));
    const faults = await Promise.all(Array.from({ length: 8 }, guess));
    expect(faults.filter(({ code }) => code === "Unauthenticated").length).toBe(5);
    expect(faults.filter(({ code }) => code === "ResourceExhausted").length).toBe(3);
  });

  it("ends the other sessions, keeps this one, tells the person, and the old password is gone", async () => {
    const other = await kinora.login(ada.email, ada.password);
    await as(ada).accounts.changePassword({ currentPassword: ada.password, newPassword });
    expect((await faultOf(kinora.as().sessions.refreshSession({ refreshToken: other.refreshToken }))).code).toBe(
      "Unauthenticated",
    );
    expect((await as(ada).sessions.getSession({})).user?.id).toBe(ada.id);
    expect((await faultOf(kinora.login(ada.email, ada.password))).code).toBe("Unauthenticated");
    await kinora.login(ada.email, newPassword);
    await kinora.mailbox.next(ada.email, /password for Kinora has changed/);
  });

  it("keeps the old one when the new one isn't good enough", async () => {
    const bob = await kinora.join("Bob");
    const call = as(bob).accounts.changePassword({ currentPassword: bob.password, newPassword: "password12345678" });
    expect(await faultOf(call)).toMatchObject({ code: "InvalidArgument", fields: ["new_password"] });
    await kinora.login(bob.email, bob.password);
  });
});

/** A passkey of theirs, without the authenticator that making one takes. */
async function passkeyOf({ id: userId }: Person): Promise<string> {
  const id = crypto.randomUUID();
  await kinora.database.pool.query(
    `insert into passkeys (id, user_id, credential_id, public_key, signature_count, transports, synced, name, create_time)
     values ($1, $2, $3, '', 0, '{}', false, 'phone', now())`,
    [id, userId, id],
  );
  return id;
}

describe("an old login", () => {
  it.each<[string, (person: Person) => Promise<unknown>]>([
    ["change the address", (person) => as(person).accounts.requestEmailChange({ email: "new@example.com" })],
    ["set up an app", (person) => as(person).factors.startTotp({})],
    ["confirm an app", (person) => as(person).factors.confirmTotp({ code: "123456" })],
    ["remove an app", (person) => as(person).factors.removeTotp({})],
    ["make recovery codes", (person) => as(person).factors.createRecoveryCodes({})],
    ["add a passkey", (person) => as(person).factors.startPasskey({})],
    ["remove a passkey", async (person) => as(person).factors.removePasskey({ id: await passkeyOf(person) })],
    ["take the data along", (person) => as(person).accounts.exportAccount({})],
    ["delete the account", (person) => as(person).users.deleteUser({ id: person.id })],
  ])("can't %s", async (_what, call) => {
    const person = await kinora.join("Carol");
    kinora.advance(recentMs - 60_000);
    const { tokens } = await kinora.as().sessions.refreshSession({ refreshToken: person.refreshToken });
    kinora.advance(61_000);
    const old = { ...person, accessToken: tokens?.accessToken ?? "" };
    expect(await faultOf(call(old))).toMatchObject({
      code: "FailedPrecondition",
      message: expect.stringContaining("log in again"),
    });
  });
});

describe("changing the address", () => {
  it("needs a code from the new one, tells the old one, and takes effect then", async () => {
    const dan = await kinora.join("Dan");
    const { changeId } = await as(dan).accounts.requestEmailChange({ email: "dan@new.example" });
    const { code } = await kinora.mailbox.next("dan@new.example", /new address/);
    const { user } = await as(dan).accounts.changeEmail({ changeId, code });
    expect(user).toMatchObject({ id: dan.id, email: "dan@new.example", emailVerified: true });
    expect((await kinora.mailbox.next(dan.email, /address for Kinora has changed/)).text).toContain("dan@new.example");
    await kinora.login("dan@new.example", dan.password);
    expect((await faultOf(kinora.login(dan.email, dan.password))).code).toBe("Unauthenticated");
  });

  it("answers alike for a taken address, which gets no code", async () => {
    const eve = await kinora.join("Eve");
    const { changeId } = await as(eve).accounts.requestEmailChange({ email: ada.email });
    expect(changeId).toMatch(/^[0-9a-f-]{36}$/);
    expect((await faultOf(as(eve).accounts.changeEmail({ changeId, code: "00000000" }))).code).toBe("InvalidArgument");
  });

  it("isn't done by somebody else's code", async () => {
    const [one, two] = [await kinora.join("One"), await kinora.join("Two")];
    const { changeId } = await as(one).accounts.requestEmailChange({ email: "one@new.example" });
    const { code } = await kinora.mailbox.next("one@new.example", /new address/);
    expect((await faultOf(as(two).accounts.changeEmail({ changeId, code }))).code).toBe("InvalidArgument");
    await as(one).accounts.changeEmail({ changeId, code });
  });
});
