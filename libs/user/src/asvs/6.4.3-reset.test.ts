import { Factor } from "@kinora/proto-user";
import { Secret, TOTP } from "otpauth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admitAttempt, attemptKeys, codeRules } from "../check/throttle.ts";
import { codeLifetimeMs } from "../code/email-codes.ts";
import { createStore } from "../store/store.ts";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

// ASVS 6.4.3: a reset doesn't bypass second factors. 6.5.x, 6.6.3: codes are random, single-use, hashed at rest, good for ten minutes and five guesses.

let kinora: ServiceUnderTest;
let ada: Person;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
  ada = await kinora.join("Ada");
});
afterAll(() => kinora?.close());
const password = "seventeen swans went west";

async function askFor(person: Pick<Person, "email">, address = "192.0.2.1") {
  const { resetId } = await kinora.as(undefined, address).accounts.requestPasswordReset({ email: person.email });
  const { code } = await kinora.mailbox.next(person.email, /new password/);
  return { resetId, code };
}
const reset = (shown: { resetId: string; code: string }, choice = password) =>
  kinora.as().accounts.resetPassword({ ...shown, password: choice });

describe("a reset", () => {
  it("sets the password, ends every session, logs nobody in, and tells the person", async () => {
    const bob = await kinora.join("Bob");
    expect(await reset(await askFor(bob))).not.toHaveProperty("tokens");
    const refresh = kinora.as().sessions.refreshSession({ refreshToken: bob.refreshToken });
    expect((await faultOf(refresh)).code).toBe("Unauthenticated");
    expect((await faultOf(kinora.login(bob.email, bob.password))).code).toBe("Unauthenticated");
    await kinora.login(bob.email, password);
    await kinora.mailbox.next(bob.email, /password for Kinora has changed/);
  });

  it("doesn't bypass a second factor", async () => {
    const carol = await kinora.join("Carol");
    const { factors } = kinora.as(carol.accessToken);
    const { secret } = await factors.startTotp({});
    const app = new TOTP({ secret: Secret.fromBase32(secret) });
    const code = () => app.generate({ timestamp: kinora.now().getTime() });
    await factors.confirmTotp({ code: code() });
    await reset(await askFor(carol), "zq5Wm0rTplx"); // 8 characters are enough beside a second factor

    const credential = { email: carol.email, password: "zq5Wm0rTplx" };
    const { tokens, checkToken, needed } = await kinora.as().sessions.createSession(credential);
    expect(tokens).toBeUndefined();
    expect(needed).toEqual([Factor.TOTP, Factor.RECOVERY_CODE]);
    kinora.advance(60_000);
    const check = { proof: { case: "totpCode" as const, value: code() } };
    expect((await kinora.as().sessions.addCheck({ checkToken, check })).tokens?.accessToken).toMatch(/^ey/);
  });

  it("keeps its code when the new password isn't good enough", async () => {
    const shown = await askFor(ada);
    expect(await faultOf(reset(shown, "password12345678"))).toMatchObject({
      code: "InvalidArgument",
      fields: ["password"],
    });
    await reset(shown);
    ada.password = password;
  });
});

describe("its code", () => {
  it("has eight digits, other ones each time, and only its hash is kept", async () => {
    const dan = await kinora.join("Dan");
    const codes = [await askFor(dan), await askFor(dan), await askFor(dan)];
    for (const { code } of codes) expect(code).toMatch(/^\d{8}$/);
    expect(new Set(codes.map(({ code }) => code)).size).toBe(3);
    const { rows } = await kinora.database.pool.query(
      "select c::text as row, code_hash from email_codes c where email = $1",
      [dan.email],
    );
    expect(rows.length).toBe(3);
    for (const { row, code_hash } of rows) {
      expect(code_hash).toMatch(/^\$argon2id\$/);
      for (const { code } of codes) expect(row).not.toContain(code);
    }
    const jobs = await kinora.database.pool.query("select data::text from user_queue.job");
    for (const { code } of codes) expect(JSON.stringify(jobs.rows)).not.toContain(code);
  });

  it("works once, also for two at the same moment, and ends the ones before", async () => {
    const eve = await kinora.join("Eve");
    const older = await askFor(eve);
    const newer = await askFor(eve);
    const outcomes = await Promise.allSettled([
      reset(newer, "first of the two swans"),
      reset(newer, "second of the two swans"),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const winner = outcomes[0]?.status === "fulfilled" ? "first of the two swans" : "second of the two swans";
    await kinora.login(eve.email, winner);
    for (const shown of [newer, older]) {
      expect((await faultOf(reset(shown))).message).toContain("has been used or has expired");
    }
  });

  it("bears four wrong guesses before the right one, and not five", async () => {
    const fay = await kinora.join("Fay");
    const wrong = (code: string) => (code === "00000000" ? "11111111" : "00000000");
    const spent = await askFor(fay);
    const guesses = Array.from({ length: 5 }, () => faultOf(reset({ ...spent, code: wrong(spent.code) })));
    for (const fault of await Promise.all(guesses)) expect(fault.code).toBe("InvalidArgument");
    expect((await faultOf(reset(spent))).code).toBe("InvalidArgument");
    const good = await askFor(fay);
    for (let guess = 0; guess < 4; guess++) await faultOf(reset({ ...good, code: wrong(good.code) }));
    await reset(good);
  });

  it("ends after ten minutes", async () => {
    const gus = await kinora.join("Gus");
    const shown = await askFor(gus);
    kinora.advance(codeLifetimeMs);
    expect((await faultOf(reset(shown))).code).toBe("InvalidArgument");
  });

  it("can't be used to keep the service hashing: an address tries sixty in five minutes", async () => {
    const store = createStore(kinora.database);
    const keys = attemptKeys("", "203.0.113.200", true, codeRules, "code-");
    for (let attempt = 0; attempt < codeRules.address.attempts; attempt++) {
      await admitAttempt(store, AbortSignal.timeout(60_000), keys, kinora.now());
    }
    const before = kinora.hashes();
    const from = kinora.as(undefined, "203.0.113.200").accounts;
    const reset = from.resetPassword({ resetId: crypto.randomUUID(), code: "0", password });
    expect((await faultOf(reset)).code).toBe("ResourceExhausted");
    const verification = from.verifySignUp({ verificationId: crypto.randomUUID(), code: "0" });
    expect((await faultOf(verification)).code).toBe("ResourceExhausted");
    expect(kinora.hashes()).toBe(before);
  });

  it("is for one purpose", async () => {
    const hal = await kinora.join("Hal");
    const { verificationId } = await kinora.as(hal.accessToken).accounts.requestEmailVerification({});
    const { code } = await kinora.mailbox.next(hal.email, /Confirm/);
    expect((await faultOf(reset({ resetId: verificationId, code }))).code).toBe("InvalidArgument");
    const { user } = await kinora.as(hal.accessToken).accounts.verifyEmail({ verificationId, code });
    expect(user?.emailVerified).toBe(true);
  });

  it("isn't asked for without end, and an attacker elsewhere can't keep the owner from one", async () => {
    const ivy = await kinora.join("Ivy"); // who is at home at 192.0.2.1
    const ask = (address: string) => faultOf(askFor(ivy, address));
    for (let time = 0; time < 5; time++) await askFor(ivy, "203.0.113.66");
    expect((await ask("203.0.113.66")).code).toBe("ResourceExhausted");
    for (let host = 0; host < 5; host++) await askFor(ivy, `203.0.113.${host}`);
    expect((await ask("203.0.113.99")).code).toBe("ResourceExhausted");
    await askFor(ivy);
  });
});
