import { Role } from "@kinora/proto-user";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { invitationLifetimeMs } from "../code/email-codes.ts";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

let kinora: ServiceUnderTest;
let owner: Person;
beforeAll(async () => {
  kinora = await startServiceUnderTest({ signUp: "invitation" });
  owner = await kinora.owner();
});
afterAll(() => kinora?.close());

const password = "seventeen swans went west";
const invite = (email: string, role: Role = Role.UNSPECIFIED, person = owner) =>
  kinora.as(person.accessToken).invitations.createInvitation({ email, role });
const codeFor = async (email: string) => (await kinora.mailbox.next(email, /invited/)).code;
const accept = (email: string, invitation: string) =>
  kinora.as().users.createUser({ email, name: "Guest", password, invitation });

describe("an invitation", () => {
  it("makes an account with its role and a confirmed address, once", async () => {
    const { invitation } = await invite("ada@example.com", Role.ADMIN);
    expect(invitation).toMatchObject({ email: "ada@example.com", role: Role.ADMIN });
    const code = await codeFor("ada@example.com");
    const outcomes = await Promise.allSettled([accept("ADA@example.com", code), accept("ADA@example.com", code)]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const { user } = await kinora.as().sessions.createSession({ email: "ada@example.com", password });
    expect(user).toMatchObject({ role: Role.ADMIN, emailVerified: true });
    expect((await faultOf(accept("ada@example.com", code))).code).toBe("InvalidArgument");
  });

  it("is needed, is for its address, ends after a week, and only the newest works", async () => {
    const call = kinora.as().users.createUser({ email: "bob@example.com", name: "B", password });
    expect((await faultOf(call)).message).toContain("sign-up is by invitation here");
    await invite("bob@example.com");
    const older = await codeFor("bob@example.com");
    await invite("bob@example.com");
    const newer = await codeFor("bob@example.com");
    expect((await faultOf(accept("eve@example.com", newer))).fields).toEqual(["email"]);
    expect((await faultOf(accept("bob@example.com", older))).fields).toEqual(["code"]);
    kinora.advance(invitationLifetimeMs);
    owner = await kinora.owner();
    expect((await faultOf(accept("bob@example.com", newer))).fields).toEqual(["code"]);
    await invite("bob@example.com");
    await accept("bob@example.com", await codeFor("bob@example.com"));
  });

  it.each(["x", "00000000-0000-4000-8000-000000000000:abc", ":", "'; drop table users"])("isn't %j", async (text) => {
    expect((await faultOf(accept("mallory@example.com", text))).code).toBe("InvalidArgument");
  });

  it("is listed while it is open, and can be taken back", async () => {
    const { invitations } = kinora.as(owner.accessToken);
    const { invitation } = await invite("carol@example.com");
    const code = await codeFor("carol@example.com");
    expect((await invitations.listInvitations({})).invitations.map(({ id }) => id)).toEqual([invitation?.id]);
    await invitations.deleteInvitation({ id: invitation?.id ?? "" });
    await invitations.deleteInvitation({ id: invitation?.id ?? "" });
    expect((await invitations.listInvitations({})).invitations).toEqual([]);
    expect((await faultOf(accept("carol@example.com", code))).code).toBe("InvalidArgument");
  });
});

describe("who invites", () => {
  it("are administrators, to roles below theirs, and owners to any", async () => {
    await invite("admin@example.com", Role.ADMIN);
    await accept("admin@example.com", await codeFor("admin@example.com"));
    const admin = await kinora.login("admin@example.com", password);
    await invite("dan@example.com", Role.MEMBER, admin);
    expect((await faultOf(invite("fay@example.com", Role.ADMIN, admin))).code).toBe("PermissionDenied");
    expect((await faultOf(invite("fay@example.com", Role.OWNER, admin))).code).toBe("PermissionDenied");
    await accept("dan@example.com", await codeFor("dan@example.com"));
    const member = await kinora.login("dan@example.com", password);
    expect((await faultOf(invite("gus@example.com", Role.MEMBER, member))).code).toBe("PermissionDenied");
    expect((await faultOf(kinora.as(member.accessToken).invitations.listInvitations({}))).code).toBe(
      "PermissionDenied",
    );
    expect((await faultOf(invite("dan@example.com"))).code).toBe("AlreadyExists");
  });

  it("is nobody where sign-up is closed", async () => {
    const closed = await startServiceUnderTest({ signUp: "closed" });
    try {
      const { accessToken } = await closed.owner();
      const call = closed.as(accessToken).invitations.createInvitation({ email: "x@example.com" });
      expect((await faultOf(call)).code).toBe("FailedPrecondition");
    } finally {
      await closed.close();
    }
  });
});
