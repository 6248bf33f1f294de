import { DomainError } from "@kinora/rpc";
import { createSeal, localCredential } from "@kinora/service";
import { createPasskeyAuthenticator } from "@kinora/testing";
import { Secret, TOTP } from "otpauth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Check, type Checks, createChecks } from "../check/checks.ts";
import { createPasskeys, relyingPartyOf } from "../factor/passkeys.ts";
import { createStore } from "../store/store.ts";
import {
  faultOf,
  type Person,
  type ServiceUnderTest,
  startServiceUnderTest,
  testPasswordHasher,
} from "../testing/service-under-test.ts";

// ASVS 6.5.1: one-time codes and recovery codes work once, also for two who show one at the same moment. 6.5.2: they are hashed at rest.
// 6.7.2: challenges of passkeys have 64 bits or more, and each is another one.

let kinora: ServiceUnderTest;
let checks: Checks;
const origin = { address: "192.0.2.1", device: "test" };
const signal = AbortSignal.timeout(300_000);

beforeAll(async () => {
  kinora = await startServiceUnderTest();
  const store = createStore(kinora.database);
  const passkeys = createPasskeys({
    store,
    relyingParty: relyingPartyOf(() => "https://kinora.example"),
    now: kinora.now,
  });
  const totpSeal = createSeal(await localCredential(kinora.dataDir, "signing"), "TOTP secrets");
  checks = createChecks({ store, passwords: testPasswordHasher(), passkeys, totpSeal, now: kinora.now });
});
afterAll(() => kinora?.close());

const verify = (person: Person, check: Check) => checks.verify(person.id, check, origin, signal);

/** Turns an authenticator app on. */
async function enrol(name: string) {
  const person = await kinora.join(name);
  const { factors } = kinora.as(person.accessToken);
  const { secret } = await factors.startTotp({});
  const app = new TOTP({ secret: Secret.fromBase32(secret) });
  const code = (stepsAhead = 0) => app.generate({ timestamp: kinora.now().getTime() + stepsAhead * 30_000 });
  const { recoveryCodes } = await factors.confirmTotp({ code: code() });
  return { person, secret, code, recoveryCodes };
}

/** Why a check is refused. */
const reasonOf = (call: Promise<unknown>) =>
  call.then(
    () => "passed",
    (error: unknown) => (error instanceof DomainError ? error.reason : String(error)),
  );

/** What became of calls at the same moment. */
async function race(calls: (() => Promise<unknown>)[]): Promise<string[]> {
  const outcomes = await Promise.allSettled(calls.map((call) => call()));
  return outcomes.map(({ status }) => status).toSorted();
}

describe("codes of an authenticator app", () => {
  it("aren't taken again: the one that turned it on, one that logged in, nor one before it", async () => {
    const { person, code } = await enrol("Ada");
    expect(await reasonOf(verify(person, { case: "totp", value: code() }))).toBe("unauthenticated");
    const [older, newer] = [code(1), code(2)];
    kinora.advance(60_000);
    await verify(person, { case: "totp", value: newer });
    for (const used of [newer, older]) {
      expect(await reasonOf(verify(person, { case: "totp", value: used }))).toBe("unauthenticated");
    }
  });

  it("come from a secret that the database has only sealed", async () => {
    const { person, secret } = await enrol("Sealed");
    const { rows } = await kinora.database.pool.query("select secret from totp_factors where user_id = $1", [
      person.id,
    ]);
    expect(rows[0].secret.includes(Buffer.from(Secret.fromBase32(secret).bytes))).toBe(false);
  });

  it("are taken once when two show one at the same moment", async () => {
    const { person, code } = await enrol("Bob");
    kinora.advance(60_000);
    const value = code();
    const login = () => verify(person, { case: "totp", value });
    expect(await race([login, login, login])).toEqual(["fulfilled", "rejected", "rejected"]);
  });

  it("are taken half a minute early or late, with spaces, and not later", async () => {
    const { person, code } = await enrol("Carol");
    kinora.advance(120_000);
    const early = code(1);
    await verify(person, { case: "totp", value: `${early.slice(0, 3)} ${early.slice(3)}` });
    kinora.advance(120_000);
    expect(await reasonOf(verify(person, { case: "totp", value: code(-2) }))).toBe("unauthenticated");
    await verify(person, { case: "totp", value: code(-1) });
  });

  it("of one account are nothing to another, and guesses end after five", async () => {
    const dan = await enrol("Dan");
    const eve = await enrol("Eve");
    kinora.advance(60_000);
    for (let guess = 0; guess < 5; guess++) {
      expect(await reasonOf(verify(eve.person, { case: "totp", value: dan.code() }))).toBe("unauthenticated");
    }
    expect(await reasonOf(verify(eve.person, { case: "totp", value: eve.code() }))).toBe("exhausted");
    await verify(dan.person, { case: "totp", value: dan.code() });
  });

  it("turn nothing on when they are wrong, and a new setup replaces the app only when it is confirmed", async () => {
    const { person, code } = await enrol("Fay");
    const { factors } = kinora.as(person.accessToken);
    kinora.advance(60_000);
    await verify(person, { case: "totp", value: code() });
    // With a second factor on, a session of the password alone isn't a complete login any more.
    expect((await faultOf(factors.startTotp({}))).code).toBe("FailedPrecondition");
  });
});

describe("recovery codes", () => {
  it("are ten, of 120 random bits each, and only their hashes are kept", async () => {
    const { person, recoveryCodes } = await enrol("Gus");
    expect(recoveryCodes.length).toBe(10);
    expect(new Set(recoveryCodes).size).toBe(10);
    for (const code of recoveryCodes) expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{6}-){3}[0-9a-hjkmnp-tv-z]{6}$/);
    const { rows } = await kinora.database.pool.query(
      "select r::text as row from recovery_codes r where user_id = $1",
      [person.id],
    );
    expect(rows.length).toBe(10);
    for (const code of recoveryCodes) expect(JSON.stringify(rows)).not.toContain(code);
  });

  it("work once, in any case and without their dashes, also for two at the same moment", async () => {
    const { person, recoveryCodes } = await enrol("Hal");
    const [first = "", second = ""] = recoveryCodes;
    await verify(person, { case: "recoveryCode", value: first.toUpperCase().replaceAll("-", " ") });
    expect(await reasonOf(verify(person, { case: "recoveryCode", value: first }))).toBe("unauthenticated");
    const login = () => verify(person, { case: "recoveryCode", value: second });
    expect(await race([login, login])).toEqual(["fulfilled", "rejected"]);
  });

  it("of somebody else don't work, and stay good", async () => {
    const [ivy, jan] = [await enrol("Ivy"), await enrol("Jan")];
    const value = jan.recoveryCodes[0] ?? "";
    expect(await reasonOf(verify(ivy.person, { case: "recoveryCode", value }))).toBe("unauthenticated");
    await verify(jan.person, { case: "recoveryCode", value });
  });
});

describe("challenges of passkeys (6.7.2)", () => {
  it("have 256 bits and differ, and each is taken once", async () => {
    const person = await kinora.join("Kim");
    const { factors } = kinora.as(person.accessToken);
    const authenticator = createPasskeyAuthenticator("https://kinora.example");
    const start = await factors.startPasskey({});
    const credentialJson = authenticator.register(start.optionsJson);
    const confirm = () => factors.confirmPasskey({ challengeId: start.challengeId, credentialJson, name: "phone" });
    expect(await race([confirm, confirm])).toEqual(["fulfilled", "rejected"]);

    const asked = await Promise.all(Array.from({ length: 20 }, () => checks.startPasskey(person.id, origin, signal)));
    const challenges = asked.map(({ optionsJson }) => (JSON.parse(optionsJson) as { challenge: string }).challenge);
    expect(new Set(challenges).size).toBe(20);
    for (const challenge of challenges) expect(Buffer.from(challenge, "base64url").length).toBe(32);

    const { challengeId, optionsJson } = asked[0] ?? { challengeId: "", optionsJson: "" };
    const value = { challengeId, credentialJson: authenticator.login(optionsJson) };
    const login = () => verify(person, { case: "passkey", value });
    expect(await race([login, login])).toEqual(["fulfilled", "rejected"]);
  });

  it("name the account by the passkey alone", async () => {
    const person = await kinora.join("Lea");
    const { factors } = kinora.as(person.accessToken);
    const authenticator = createPasskeyAuthenticator("https://kinora.example");
    const { challengeId, optionsJson } = await factors.startPasskey({});
    const credentialJson = authenticator.register(optionsJson);
    const { recoveryCodes } = await factors.confirmPasskey({ challengeId, credentialJson, name: "key" });
    expect(recoveryCodes.length).toBe(10);
    const asked = await checks.startPasskey(undefined, origin, signal);
    const answer = { challengeId: asked.challengeId, credentialJson: authenticator.login(asked.optionsJson) };
    expect(await checks.identifyByPasskey(answer, origin, signal)).toMatchObject({
      account: { id: person.id },
      check: { factor: "passkey" },
      enrolled: ["passkey"],
    });
  });
});
