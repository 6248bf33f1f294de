import { createPasskeyAuthenticator, type Deviation } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findAccount } from "../account/account.store.ts";
import type { Account } from "../account/account.ts";
import { createStore, type Store } from "../store/store.ts";
import { faultOf, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";
import { insertPasskey, listPasskeys } from "./passkey.store.ts";
import { challengeLifetimeMs, createPasskeys, type Passkeys, relyingPartyOf } from "./passkeys.ts";

const origin = "https://kinora.example";
const signal = AbortSignal.timeout(120_000);
let kinora: ServiceUnderTest;
let store: Store;
let passkeys: Passkeys;
let ada: Account;
let bob: Account;

beforeAll(async () => {
  kinora = await startServiceUnderTest();
  store = createStore(kinora.database);
  passkeys = createPasskeys({ store, relyingParty: relyingPartyOf(() => origin), now: kinora.now });
  ada = await join("Ada");
  bob = await join("Bob");
});
afterAll(() => kinora?.close());

async function join(name: string): Promise<Account> {
  const account = await findAccount(store.on(signal), (await kinora.join(name)).id);
  if (account === undefined) throw new Error("no account");
  return account;
}

async function register(account: Account, deviation?: Deviation) {
  const authenticator = createPasskeyAuthenticator(origin);
  const { challengeId, optionsJson } = await passkeys.startRegistration(account, signal);
  const credentialJson = authenticator.register(optionsJson, deviation);
  const answer = { userId: account.id, challengeId, credentialJson, name: "phone" };
  await insertPasskey(store.on(signal), await passkeys.finishRegistration(answer, signal));
  return { authenticator, answer };
}

describe("registration", () => {
  it("keeps what the authenticator made, and tells it next time", async () => {
    const { authenticator } = await register(ada);
    const [stored] = await listPasskeys(store.on(signal), ada.id);
    expect(stored).toMatchObject({ credentialId: authenticator.credentialId, name: "phone", synced: false });
    const { optionsJson } = await passkeys.startRegistration(ada, signal);
    expect(JSON.parse(optionsJson)).toMatchObject({
      rp: { id: "kinora.example" },
      attestation: "none",
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      excludeCredentials: [{ id: authenticator.credentialId }],
    });
  });

  it.each<[string, Deviation]>([
    ["another site", { origin: "https://kinora.example.net" }],
    ["another host's key", { rpId: "example" }],
    ["another challenge", { challenge: "AAAA" }],
    ["a person who wasn't verified", { userVerified: false }],
  ])("refuses %s", async (_what, deviation) => {
    expect((await faultOf(register(ada, deviation))).message).toMatch(/^credential_json: is not a right answer/);
  });

  it("takes each answer once, from the account that asked, in time", async () => {
    const { answer } = await register(ada);
    const again = passkeys.finishRegistration(answer, signal);
    expect((await faultOf(again)).message).toContain("challenge_id: has been used or has expired");
    const { challengeId, optionsJson } = await passkeys.startRegistration(ada, signal);
    const credentialJson = createPasskeyAuthenticator(origin).register(optionsJson);
    const stolen = passkeys.finishRegistration({ userId: bob.id, challengeId, credentialJson, name: "x" }, signal);
    expect((await faultOf(stolen)).message).toContain("has been used or has expired");
    kinora.advance(challengeLifetimeMs);
    const late = passkeys.finishRegistration({ userId: ada.id, challengeId, credentialJson, name: "x" }, signal);
    expect((await faultOf(late)).message).toContain("has been used or has expired");
  });

  it.each(["", "{", "null", "[]", '{"id":1}', '{"id":"a b","response":{}}', '{"id":"aa","response":{}}'])(
    "refuses %j",
    async (credentialJson) => {
      const { challengeId } = await passkeys.startRegistration(ada, signal);
      const call = passkeys.finishRegistration({ userId: ada.id, challengeId, credentialJson, name: "x" }, signal);
      expect((await faultOf(call)).message).toMatch(/^credential_json: /);
    },
  );
});

describe("login", () => {
  it("says whose passkey it is, with and without a name, and notes the use", async () => {
    const { authenticator } = await register(bob);
    for (const userId of [undefined, bob.id]) {
      const { challengeId, optionsJson } = await passkeys.startLogin(userId, signal);
      const credentialJson = authenticator.login(optionsJson);
      const use = await passkeys.finishLogin({ userId, challengeId, credentialJson }, signal);
      expect(use?.userId).toBe(bob.id);
    }
    const [stored] = await listPasskeys(store.on(signal), bob.id);
    expect(stored?.lastUseTime).not.toBeNull();
    expect(stored?.signatureCount).toBe(3);
  });

  it.each<[string, Deviation]>([
    ["another site", { origin: "https://evil.example" }],
    ["another host's signature", { rpId: "evil.example" }],
    ["another challenge", { challenge: "AAAA" }],
    ["a person who wasn't verified", { userVerified: false }],
    ["another key's signature", { foreignKey: true }],
    ["a count that went back, as a copy's does", { count: 1 }],
  ])("refuses %s", async (_what, deviation) => {
    const { authenticator } = await register(ada);
    const { challengeId, optionsJson } = await passkeys.startLogin(ada.id, signal);
    const credentialJson = authenticator.login(optionsJson, deviation);
    expect(await passkeys.finishLogin({ userId: ada.id, challengeId, credentialJson }, signal)).toBeUndefined();
  });

  it("refuses a passkey of somebody else, and one that nobody registered", async () => {
    const { authenticator } = await register(bob);
    const { challengeId, optionsJson } = await passkeys.startLogin(ada.id, signal);
    const credentialJson = authenticator.login(optionsJson);
    expect(await passkeys.finishLogin({ userId: ada.id, challengeId, credentialJson }, signal)).toBeUndefined();
    const anyone = await passkeys.startLogin(undefined, signal);
    const unknown = createPasskeyAuthenticator(origin).login(anyone.optionsJson);
    const shown = { userId: undefined, challengeId: anyone.challengeId, credentialJson: unknown };
    expect(await passkeys.finishLogin(shown, signal)).toBeUndefined();
  });
});
