import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

// ASVS 6.3.8: login, sign-up and reset answer alike for known and unknown accounts: message, code and time. What takes time is hashing (50 ms; a look-up is a
// hundredth of it), so hashes are counted instead of milliseconds: that holds on a busy machine as well.

let kinora: ServiceUnderTest;
let ada: Person;
let disabled: Person;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
  ada = await kinora.join("Ada");
  disabled = await kinora.join("Disabled");
  await kinora.as((await kinora.owner()).accessToken).users.disableUser({ id: disabled.id });
});
afterAll(() => kinora?.close());

const stranger = "stranger@example.com";

/** What a call answers, and how many hashes it computed. */
async function observe(call: () => Promise<unknown>) {
  const before = kinora.hashes();
  const outcome = await call().then(
    (answer) => ({ answer: shape(answer) }),
    async (error: unknown) => ({ fault: await faultOf(Promise.reject(error)) }),
  );
  return { outcome, hashes: kinora.hashes() - before };
}

/** An answer without what differs between any two calls. */
function shape(answer: unknown): unknown {
  return JSON.parse(
    JSON.stringify(answer, (key, value) => {
      if (typeof value === "bigint" || key === "nanos") return "number";
      return typeof value === "string" && /^[0-9a-f-]{36}$/.test(value) ? "uuid" : value;
    }),
  );
}

describe("login", () => {
  const guess = (email: string) => () =>
    kinora.as(undefined, "203.0.113.7").sessions.createSession({ email, password: "a wrong password" });

  it("says the same of a wrong password, an unknown account and a disabled one, after one hash each", async () => {
    const known = await observe(guess(ada.email));
    expect(known).toMatchObject({ hashes: 1, outcome: { fault: { code: "Unauthenticated" } } });
    expect(await observe(guess(stranger))).toEqual(known);
    expect(await observe(guess(disabled.email))).toEqual(known);
  });

  it("tells only who has the password that an account is disabled", async () => {
    const call = kinora.as().sessions.createSession({ email: disabled.email, password: disabled.password });
    expect(await faultOf(call)).toMatchObject({
      code: "PermissionDenied",
      message: expect.stringContaining("disabled"),
    });
  });
});

describe("sign-up", () => {
  const signUp = (email: string) => () =>
    kinora.as().users.createUser({ email, name: "Somebody", password: "seventeen swans went west" });

  it("answers a taken address like a free one, after one hash each; the mailbox gets the truth", async () => {
    const free = await observe(signUp("free1@example.com"));
    expect(free.hashes).toBe(1);
    const taken = await observe(signUp(ada.email));
    expect(JSON.stringify(taken).replaceAll(ada.email, "free1@example.com")).toEqual(JSON.stringify(free));
    expect((await kinora.mailbox.next(ada.email, /./)).subject).toMatch(/Welcome/); // of her own sign-up
    expect((await kinora.mailbox.next(ada.email, /./)).subject).toBe("You have an account at Kinora");
    expect((await kinora.mailbox.next("free1@example.com", /./)).subject).toBe("Welcome to Kinora");
    await kinora.login(ada.email, ada.password);
  });

  it("does so where addresses are confirmed, where a login tells no more", async () => {
    const strict = await startServiceUnderTest({ verifyEmail: true });
    try {
      const ask = (email: string) =>
        strict.as().users.createUser({ email, name: "Somebody", password: "seventeen swans went west" });
      const { user, verificationId } = await ask("new@example.com");
      const { code } = await strict.mailbox.next("new@example.com", /Confirm/);
      const login = () =>
        strict.as().sessions.createSession({ email: "new@example.com", password: "seventeen swans went west" });
      expect((await faultOf(login())).message).toBe("the e-mail address or the password is wrong");
      const made = await strict.as().accounts.verifySignUp({ verificationId, code });
      expect(made.user).toMatchObject({ id: user?.id, emailVerified: true });
      await login();

      const again = await ask("new@example.com");
      expect(again.verificationId).toMatch(/^[0-9a-f-]{36}$/);
      await strict.mailbox.next("new@example.com", /You have an account/);
      const guess = strict.as().accounts.verifySignUp({ verificationId: again.verificationId, code: "00000000" });
      expect((await faultOf(guess)).message).toContain("is wrong, has been used or has expired");
    } finally {
      await strict.close();
    }
  });
});

describe("reset", () => {
  const request = (email: string) => () => kinora.as(undefined, "203.0.113.8").accounts.requestPasswordReset({ email });

  it("answers alike for unknown, disabled and known accounts; only the known one's letter costs a hash, in the background", async () => {
    const unknown = await observe(request(stranger));
    expect(unknown).toMatchObject({ hashes: 0, outcome: { answer: { resetId: "uuid" } } });
    expect(await observe(request(disabled.email))).toEqual(unknown);
    const before = kinora.hashes();
    expect((await observe(request(ada.email))).outcome).toEqual(unknown.outcome);
    await kinora.mailbox.next(ada.email, /new password/);
    expect(kinora.hashes() - before).toBe(1);
    expect(await kinora.mailbox.letters(stranger)).toEqual([]);
  });

  it("refuses a wrong code alike, after the same hashes", async () => {
    const attempt = (resetId: string) => () =>
      kinora.as().accounts.resetPassword({ resetId, code: "00000000", password: "seventeen swans went west" });
    const [known, unknown] = await Promise.all([request(ada.email)(), request(stranger)()]);
    await kinora.mailbox.next(ada.email, /new password/);
    const right = await observe(attempt(known.resetId));
    expect(right).toMatchObject({ hashes: 2, outcome: { fault: { code: "InvalidArgument" } } });
    expect(await observe(attempt(unknown.resetId))).toEqual(right);
    expect(await observe(attempt(crypto.randomUUID()))).toEqual(right);
  });
});
