import { Secret, TOTP } from "otpauth";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { attemptKeys, throttleRules } from "../check/throttle.ts";
import { sweep } from "../housekeeping.ts";
import { createStore } from "../store/store.ts";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

// ASVS 6.3.1: guesses and stuffing are throttled per account and per address, and an attacker can't lock a victim out.

let kinora: ServiceUnderTest;
let ada: Person;
let bob: Person;

beforeAll(async () => {
  kinora = await startServiceUnderTest();
  ada = await kinora.join("Ada"); // whose session began at 192.0.2.1
  bob = await kinora.join("Bob");
});
afterAll(() => kinora?.close());
afterEach(() => kinora.advance(throttleRules.pair.seconds * 1000));

const guess = (person: Person, address: string) =>
  faultOf(kinora.as(undefined, address).sessions.createSession({ email: person.email, password: "a wrong password" }));
const login = (person: Person, address: string) => kinora.as(undefined, address).sessions.createSession(person);
const guessUntilRefused = async (person: Person, address: () => string) => {
  for (let guesses = 0; guesses < 200; guesses++) {
    const fault = await guess(person, address());
    if (fault.code === "ResourceExhausted") return { guesses, fault };
    expect(fault.code).toBe("Unauthenticated");
  }
  throw new Error("nobody minds the guesses");
};
let host = 0;
const anotherAddress = () => `198.51.${Math.floor(host / 256)}.${host++ % 256}`;

describe("guesses from one address at one account", () => {
  it("end after ten, say when to go on, and go on then", async () => {
    const { guesses, fault } = await guessUntilRefused(ada, () => "203.0.113.1");
    expect(guesses).toBe(10);
    const wait = Number(fault.retryAfter);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(300);
    expect(fault.message).toContain(`${wait} seconds`);
    expect((await faultOf(login(ada, "203.0.113.1"))).code).toBe("ResourceExhausted"); // also when right
    kinora.advance(wait * 1000);
    await login(ada, "203.0.113.1");
  });

  it("don't hinder anybody else", async () => {
    await guessUntilRefused(ada, () => "203.0.113.2");
    await login(ada, "203.0.113.3");
    await login(bob, "203.0.113.2");
  });

  it("aren't helped by asking at the same moment", async () => {
    const faults = await Promise.all(Array.from({ length: 25 }, () => guess(ada, "203.0.113.4")));
    expect(faults.filter(({ code }) => code === "Unauthenticated").length).toBe(10);
  });

  it("count for an unknown account as for a known one", async () => {
    const stranger = { ...ada, email: "stranger@example.com" };
    expect((await guessUntilRefused(stranger, () => "203.0.113.5")).guesses).toBe(10);
  });

  it("count by the network where the address is IPv6", async () => {
    let last = 0;
    const { guesses } = await guessUntilRefused(ada, () => `2001:db8:7:7::${(last++).toString(16)}`);
    expect(guesses).toBe(10);
  });

  it("don't count when they are right", async () => {
    for (let time = 0; time < 12; time++) await login(bob, "203.0.113.6");
  });
});

describe("guesses from everywhere at one account", () => {
  it("end after twenty, but not for a minute, and not for those who are at home where they ask", async () => {
    const { guesses, fault } = await guessUntilRefused(ada, anotherAddress);
    expect(guesses).toBe(20);
    expect(Number(fault.retryAfter)).toBeLessThanOrEqual(60);
    await login(ada, "192.0.2.1");
    for (let time = 0; time < 5; time++) await guess(ada, anotherAddress()); // refused ones don't prolong it
    kinora.advance(60_000);
    await login(ada, anotherAddress());
  });
});

describe("guesses at a second factor, by somebody who knows the password", () => {
  it("end after twenty, and not for those who are at home where they ask", async () => {
    const eve = await kinora.join("Eve");
    const { factors } = kinora.as(eve.accessToken);
    const { secret } = await factors.startTotp({});
    const app = new TOTP({ secret: Secret.fromBase32(secret) });
    const now = () => kinora.now().getTime();
    await factors.confirmTotp({ code: app.generate({ timestamp: now() }) });
    kinora.advance(60_000);
    const second = (code: string, address: string) =>
      kinora
        .as(undefined, address)
        .sessions.createSession({ ...eve, second: { proof: { case: "recoveryCode", value: code } } });
    const codes: string[] = [];
    for (let guesses = 0; guesses < 22; guesses++)
      codes.push((await faultOf(second("abcdef-abcdef-abcdef-abcdef", anotherAddress()))).code);
    expect(codes.lastIndexOf("Unauthenticated")).toBe(19);
    const proof = { case: "totpCode" as const, value: app.generate({ timestamp: now() }) };
    const right = (address: string) =>
      kinora.as(undefined, address).sessions.createSession({ ...eve, second: { proof } });
    expect((await faultOf(right(anotherAddress()))).code).toBe("ResourceExhausted");
    expect((await right("192.0.2.1")).tokens).toBeDefined();
  });
});

describe("guesses from one address at many accounts", () => {
  it("end after a hundred", async () => {
    const codes: string[] = [];
    for (let round = 0; round < 4; round++) {
      const victims = Array.from({ length: 30 }, (_, index) => ({
        ...ada,
        email: `victim${round}-${index}@example.com`,
      }));
      const faults = await Promise.all(victims.map((victim) => guess(victim, "203.0.113.9")));
      codes.push(...faults.map(({ code }) => code));
    }
    expect(codes.filter((code) => code === "Unauthenticated").length).toBe(100);
    expect(codes.filter((code) => code === "ResourceExhausted").length).toBe(20);
  });
});

describe("attemptKeys", () => {
  it("hold nothing that was typed", () => {
    const keys = attemptKeys("ada@example.com", "203.0.113.1", false).map(({ key }) => key);
    expect(new Set(keys).size).toBe(3);
    for (const key of keys) expect(key).not.toMatch(/ada|203/);
  });
});

describe("sweep", () => {
  it("removes counts and sessions that are over, and no others", async () => {
    const store = createStore(kinora.database);
    const signal = AbortSignal.timeout(10_000);
    const count = async (table: string) =>
      (await kinora.database.pool.query(`select count(*)::int as n from ${table}`)).rows[0].n;
    await guess(bob, "203.0.113.20");
    const { tokens } = await login(bob, "203.0.113.21");
    const sessions = await count("sessions");
    await sweep(store, signal, kinora.now());
    expect(await count("login_attempts")).toBeGreaterThan(0);
    expect(await count("sessions")).toBe(sessions);
    kinora.advance(29 * 86_400_000);
    await kinora.as().sessions.refreshSession({ refreshToken: tokens?.refreshToken ?? "" });
    kinora.advance(2 * 86_400_000);
    await sweep(store, signal, kinora.now());
    expect(await count("login_attempts")).toBe(0);
    expect(await count("sessions")).toBe(1);
    expect(await count("refresh_tokens")).toBe(2);
  });
});
