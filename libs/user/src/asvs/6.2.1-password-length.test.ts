import { Secret, TOTP } from "otpauth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTotpSecret, describeTotp } from "../factor/totp.ts";
import { passwordFault } from "../password/password-policy.ts";
import { faultOf, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

// ASVS 6.2.1 and NIST SP 800-63B-4, 3.1.1.2: at least 15 characters for a single factor, 8 beside a second one.
// ASVS 6.2.5: no rules of composition. 6.2.9: at least 64 characters are accepted. 6.2.8: the password is checked exactly as it came.

const owner = { email: "ada@example.com", name: "Ada", secondFactor: false };
const faultWith = (password: string, secondFactor = false) => passwordFault(password, { ...owner, secondFactor });

describe("length", () => {
  it.each([
    ["zq5Wm0rTplx9Kd", false, /at least 15/],
    ["zq5Wm0rTplx9Kdu", false, undefined],
    ["🦊🎬🚂🌍🍋🦑🏔🧭🎻🧵🌋🪁🥁🛶", false, /at least 15/], // 14 characters, though 28 units of UTF-16
    ["🦊🎬🚂🌍🍋🦑🏔🧭🎻🧵🌋🪁🥁🛶🪀", false, undefined],
    ["zq5Wm0r", true, /at least 8/],
    ["zq5Wm0rT", true, undefined],
    ["zq5Wm0rTplx9Kd", true, undefined],
  ])("%s, with a second factor %s: %s", (password, secondFactor, fault) => {
    if (fault === undefined) expect(faultWith(password, secondFactor)).toBeUndefined();
    else expect(faultWith(password, secondFactor)).toMatch(fault);
  });
});

describe("composition (6.2.5)", () => {
  it.each([
    "correcthorsebatterylamp",
    "MOUNTAINRIVERORCHARD",
    "82946105738261947",
    "____ ---- .... ====",
    "горные реки и сады",
  ])("%s is good enough", (password) => expect(faultWith(password)).toBeUndefined());
});

describe("the service", () => {
  let kinora: ServiceUnderTest;
  beforeAll(async () => {
    kinora = await startServiceUnderTest();
  });
  afterAll(() => kinora?.close());
  const signUp = (email: string, password: string) => kinora.as().users.createUser({ email, name: "N", password });
  const login = (email: string, password: string) => kinora.as().sessions.createSession({ email, password });
  const long = "seventeen swans went west ".repeat(40).slice(0, 1000);

  it("takes 64 characters and 1000, and tells them from each other to the last (6.2.8, 6.2.9)", async () => {
    for (const length of [64, 1000]) {
      const email = `long${length}@example.com`;
      const password = long.slice(0, length);
      await signUp(email, password);
      await login(email, password);
      expect((await faultOf(login(email, password.slice(0, -1)))).code).toBe("Unauthenticated");
      expect((await faultOf(login(email, `${password.slice(0, -1)}!`))).code).toBe("Unauthenticated");
    }
  });

  it("tells case, white space and zero bytes apart (6.2.8)", async () => {
    const password = " Seventeen\tswans \0 went ";
    await signUp("exact@example.com", password);
    for (const near of [
      password.toLowerCase(),
      password.trim(),
      password.replace("\t", " "),
      password.split("\0")[0] ?? "",
    ]) {
      expect((await faultOf(login("exact@example.com", near))).code).toBe("Unauthenticated");
    }
    await login("exact@example.com", password);
  });

  it("takes the same characters however a keyboard composes them", async () => {
    await signUp("composed@example.com", "Zoe\u0308's seventeen swans");
    await login("composed@example.com", "Zo\u00EB's seventeen swans");
  });

  it.each([10_000, 1_000_000])("refuses %i characters in words, without hashing them", async (length) => {
    const before = kinora.hashes();
    const fault = await faultOf(signUp("huge@example.com", "swan ".repeat(length / 5)));
    expect(fault).toMatchObject({ code: "InvalidArgument", fields: ["password"] });
    expect(fault.message).toMatch(/at most 1000 characters/);
    expect(kinora.hashes()).toBe(before);
  });

  it("refuses what isn't Unicode", async () => {
    expect(faultWith("seventeen swans \uD800 went")).toMatch(/valid Unicode/);
  });

  it("lets accounts with a second factor choose 8 characters, and others not", async () => {
    const ada = await kinora.join("Ada");
    const change = (newPassword: string) =>
      kinora.as(ada.accessToken).accounts.changePassword({ currentPassword: ada.password, newPassword });
    expect((await faultOf(change("zq5Wm0rT"))).message).toContain("at least 15");
    const secret = createTotpSecret();
    expect(describeTotp(secret, ada.email).uri).toMatch(/^otpauth:\/\/totp\//);
    await kinora.database.pool.query("insert into totp_factors (user_id, secret) values ($1, $2)", [ada.id, secret]);
    await change("zq5Wm0rT");
  });

  it("lets nobody be left with 8 characters alone", async () => {
    const ada = await kinora.join("Ada");
    const { accounts, factors } = kinora.as(ada.accessToken);
    const { secret } = await factors.startTotp({});
    const app = new TOTP({ secret: Secret.fromBase32(secret) });
    const code = () => app.generate({ timestamp: kinora.now().getTime() });
    await factors.confirmTotp({ code: code() });
    await accounts.changePassword({ currentPassword: ada.password, newPassword: "zq5Wm0rT" });
    kinora.advance(60_000);
    const check = { proof: { case: "totpCode" as const, value: code() } };
    const { tokens } = await kinora.as(ada.accessToken).sessions.confirmSession({ check });
    const after = kinora.as(tokens?.accessToken);
    expect(await faultOf(after.factors.removeTotp({}))).toMatchObject({
      code: "FailedPrecondition",
      message: expect.stringContaining("change it to one of 15 characters or more first"),
    });
    expect(await after.factors.listFactors({})).toMatchObject({ totp: true, recoveryCodes: 10 });
    await after.accounts.changePassword({ currentPassword: "zq5Wm0rT", newPassword: "seventeen swans went west" });
    await after.factors.removeTotp({});
    expect(await after.factors.listFactors({})).toMatchObject({ totp: false, recoveryCodes: 0 });
  });
});
