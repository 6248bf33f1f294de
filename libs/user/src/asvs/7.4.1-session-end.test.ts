import { ServiceAccountKind } from "@kinora/proto-user";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  faultOf,
  type Person,
  type ServiceUnderTest,
  serviceToken,
  startServiceUnderTest,
} from "../testing/service-under-test.ts";

// ASVS 7.4.1: a session that was ended can't be used. 7.4.2: nor any of an account that was disabled or deleted. 7.4.3, 7.5.2: people see their sessions and end others.

let kinora: ServiceUnderTest;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
});
afterAll(() => kinora?.close());

const codeOf = async (call: Promise<unknown>) => (await faultOf(call)).code;
const refresh = ({ refreshToken }: Pick<Person, "refreshToken">) =>
  kinora.as().sessions.refreshSession({ refreshToken });
const isActive = async ({ accessToken }: Pick<Person, "accessToken">) =>
  (await kinora.as(serviceToken).sessions.introspectToken({ accessToken })).active;

/** Nothing of this session works any more. */
async function expectEnd(session: Person) {
  expect(await codeOf(refresh(session))).toBe("Unauthenticated");
  expect(await codeOf(kinora.as(session.accessToken).sessions.getSession({}))).toBe("Unauthenticated");
  expect(await codeOf(kinora.as(session.accessToken).sessions.endOtherSessions({}))).toBe("Unauthenticated");
  expect(await codeOf(kinora.as(session.accessToken).keys.createKey({ name: "k", scopes: ["videos:read"] }))).toBe(
    "Unauthenticated",
  );
  expect(await isActive(session)).toBe(false);
}

describe("7.4.1: a session ends at once", () => {
  it("when its holder logs out", async () => {
    const ada = await kinora.join("Ada");
    expect(await isActive(ada)).toBe(true);
    await kinora.as().sessions.revokeSession({ refreshToken: ada.refreshToken });
    await expectEnd(ada);
  });
});

describe("7.4.1: the access token of an ended session changes nothing", () => {
  it("of one's own account, others', or the installation's", async () => {
    const owner = await kinora.owner();
    const ada = await kinora.join("Ada");
    await kinora.as().sessions.revokeSession({ refreshToken: owner.refreshToken });
    const { users, accounts, invitations, keys, quotas } = kinora.as(owner.accessToken);
    const rename = (id: string) => users.updateUser({ id, user: { name: "Mallory" }, updateMask: { paths: ["name"] } });
    const password = "seventeen swans went west";
    for (const call of [
      () => rename(owner.id),
      () => rename(ada.id),
      () => users.disableUser({ id: ada.id }),
      () => users.enableUser({ id: ada.id }),
      () => users.deleteUser({ id: ada.id }),
      () => invitations.createInvitation({ email: "crony@example.com" }),
      () => invitations.deleteInvitation({ id: crypto.randomUUID() }),
      () => quotas.setQuotaLimits({ userId: ada.id, limitSeconds: 1 }),
      () => keys.createServiceAccount({ name: "crony", kind: ServiceAccountKind.PROGRAM }),
      () => accounts.requestEmailVerification({}),
      () => accounts.requestEmailChange({ email: "mallory@example.com" }),
      () => accounts.changePassword({ currentPassword: owner.password, newPassword: password }),
      () => accounts.exportAccount({}),
    ]) {
      expect([call.toString(), await codeOf(call())]).toEqual([call.toString(), "Unauthenticated"]);
    }
  });

  it("not by a code for another address that was asked for before", async () => {
    const ada = await kinora.join("Ada");
    const change = async (session: Person, email: string) => {
      const { changeId } = await kinora.as(session.accessToken).accounts.requestEmailChange({ email });
      return { changeId, code: (await kinora.mailbox.next(email, /new address/i)).code };
    };
    const thief = await kinora.login(ada.email, ada.password);
    const shown = await change(thief, "thief@example.com");
    await kinora.as(ada.accessToken).sessions.endOtherSessions({});
    expect(await codeOf(kinora.as(thief.accessToken).accounts.changeEmail(shown))).toBe("Unauthenticated");

    const second = await change(await kinora.login(ada.email, ada.password), "second@example.com");
    const newPassword = "eighteen swans went east";
    await kinora.as(ada.accessToken).accounts.changePassword({ currentPassword: ada.password, newPassword });
    // Not even with a session that goes on, nor with a key that somebody made meanwhile.
    expect(await codeOf(kinora.as(ada.accessToken).accounts.changeEmail(second))).toBe("InvalidArgument");
  });
});

describe("7.4.2: all sessions of an account end at once", () => {
  it("when it is deleted", async () => {
    const ada = await kinora.join("Ada");
    await kinora.as(ada.accessToken).users.deleteUser({ id: ada.id });
    await expectEnd(ada);
  });

  it("when it is disabled, also where a refresh was under way", async () => {
    const ada = await kinora.join("Ada");
    const other = await kinora.login(ada.email, ada.password);
    // As the accounts' own handler does it, but for ending the sessions: the refresh itself must look.
    await kinora.database.pool.query("update users set disable_time = now() where id = $1", [ada.id]);
    expect(await isActive(ada)).toBe(false);
    await expectEnd(ada);
    await expectEnd(other);
  });
});

describe("7.4.3, 7.5.2: people", () => {
  it("see their sessions, the one that asks marked, and end one of the others", async () => {
    const ada = await kinora.join("Ada");
    const phone = await kinora
      .as(undefined, "198.51.100.9")
      .sessions.createSession({ ...ada, device: "Ada's phone\u0007" });
    const { sessions } = await kinora.as(ada.accessToken).sessions.listSessions({});
    expect(sessions.map(({ device, current, address }) => ({ device, current, address }))).toEqual(
      expect.arrayContaining([
        { device: "Ada's phone", current: false, address: "198.51.100.9" },
        expect.objectContaining({ current: true, address: "192.0.2.1" }),
      ]),
    );
    expect(JSON.stringify(sessions, (_, value) => (typeof value === "bigint" ? Number(value) : value))).not.toContain(
      ada.refreshToken,
    );
    await kinora.as(ada.accessToken).sessions.endSession({ id: phone.sessionId });
    expect(await codeOf(refresh({ refreshToken: phone.tokens?.refreshToken ?? "" }))).toBe("Unauthenticated");
    expect(await codeOf(kinora.as(ada.accessToken).sessions.endSession({ id: phone.sessionId }))).toBe("NotFound");
    await refresh(ada);
  });

  it("end all others at once", async () => {
    const ada = await kinora.join("Ada");
    const others = [await kinora.login(ada.email, ada.password), await kinora.login(ada.email, ada.password)];
    const { ended } = await kinora.as(ada.accessToken).sessions.endOtherSessions({});
    expect(ended).toBe(2);
    for (const other of others) await expectEnd(other);
    await refresh(ada);
  });

  it("can't end somebody else's, nor learn of them", async () => {
    const ada = await kinora.join("Ada");
    const bob = await kinora.join("Bob");
    const { sessions } = await kinora.as(ada.accessToken).sessions.listSessions({});
    const id = sessions[0]?.id ?? "";
    const other = crypto.randomUUID();
    const theirs = await faultOf(kinora.as(bob.accessToken).sessions.endSession({ id }));
    const nobodys = await faultOf(kinora.as(bob.accessToken).sessions.endSession({ id: other }));
    expect({ ...theirs, message: theirs.message.replace(id, other) }).toEqual(nobodys);
    expect(theirs.code).toBe("NotFound");
    await refresh(ada);
  });
});

it("a service that asks about nonsense learns that it isn't active", async () => {
  for (const accessToken of ["nonsense", "a.b.c"]) expect(await isActive({ accessToken })).toBe(false);
});
