import { Secret, TOTP } from "otpauth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";
import { maxPendingTries, pendingLifetimeMs } from "./session.ts";

// A login that waits for its second check: what the password alone has got somebody.

let kinora: ServiceUnderTest;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
});
afterAll(() => kinora?.close());

/** Somebody with an authenticator app. */
async function enrolled() {
  const person = await kinora.join();
  const { factors } = kinora.as(person.accessToken);
  const { secret } = await factors.startTotp({});
  const app = new TOTP({ secret: Secret.fromBase32(secret) });
  const code = () => app.generate({ timestamp: kinora.now().getTime() });
  const { recoveryCodes } = await factors.confirmTotp({ code: code() });
  kinora.advance(60_000);
  return { person, code, recoveryCodes };
}
const begin = async ({ email, password }: Person) =>
  (await kinora.as().sessions.createSession({ email, password })).checkToken;
let host = 0;
/** Shows a code, each time from somewhere else: the counts of attempts at an address are another test's. */
const add = (checkToken: string, proof: { case: "totpCode" | "recoveryCode"; value: string }) =>
  kinora.as(undefined, `198.51.100.${host++ % 250}`).sessions.addCheck({ checkToken, check: { proof } });
const startAgain = { code: "Unauthenticated", message: "this login has ended; start it again" };

describe("a login that waits for its second check", () => {
  it("waits for ten minutes, and no longer", async () => {
    const { person, code, recoveryCodes } = await enrolled();
    const [inTime, late] = [await begin(person), await begin(person)];
    kinora.advance(pendingLifetimeMs - 1_000);
    expect((await add(inTime, { case: "totpCode", value: code() })).tokens).toBeDefined();
    kinora.advance(1_000);
    const right = { case: "recoveryCode" as const, value: recoveryCodes[0] ?? "" };
    expect(await faultOf(add(late, right))).toMatchObject(startAgain);
  });

  it("bears five tries, wherever they come from", async () => {
    const { person, code } = await enrolled();
    const checkToken = await begin(person);
    for (let time = 0; time < maxPendingTries; time++) {
      const wrong = await faultOf(add(checkToken, { case: "recoveryCode", value: "abcdef-abcdef-abcdef-abcdef" }));
      expect(wrong.message).toMatch(/recovery code is wrong/);
    }
    expect(await faultOf(add(checkToken, { case: "totpCode", value: code() }))).toMatchObject(startAgain);
  });

  it("takes nobody else's factor", async () => {
    const [ada, bob] = [await enrolled(), await enrolled()];
    const checkToken = await begin(ada.person);
    for (const proof of [
      { case: "totpCode" as const, value: bob.code() },
      { case: "recoveryCode" as const, value: bob.recoveryCodes[0] ?? "" },
    ])
      expect((await faultOf(add(checkToken, proof))).code).toBe("Unauthenticated");
    // And uses nothing of theirs up.
    await add(await begin(bob.person), { case: "recoveryCode", value: bob.recoveryCodes[0] ?? "" });
  });

  it("is no credential, and no session to refresh or to end", async () => {
    const { person, code } = await enrolled();
    const checkToken = await begin(person);
    expect((await faultOf(kinora.as(checkToken).sessions.getSession({}))).code).toBe("Unauthenticated");
    expect((await faultOf(kinora.as().sessions.refreshSession({ refreshToken: checkToken }))).code).toBe(
      "Unauthenticated",
    );
    await kinora.as().sessions.revokeSession({ refreshToken: checkToken });
    expect((await add(checkToken, { case: "totpCode", value: code() })).tokens).toBeDefined();
  });

  it("ends with its account, which whoever knows the password is told", async () => {
    const { person, code } = await enrolled();
    const checkToken = await begin(person);
    const owner = await kinora.owner();
    await kinora.as(owner.accessToken).users.disableUser({ id: person.id });
    expect(await faultOf(add(checkToken, { case: "totpCode", value: code() }))).toMatchObject(startAgain);
    const login = (password: string) => faultOf(kinora.as().sessions.createSession({ email: person.email, password }));
    expect(await login(person.password)).toMatchObject({
      code: "PermissionDenied",
      message: expect.stringContaining("has been disabled"),
    });
    expect((await login("not the password of this person")).code).toBe("Unauthenticated");
  });
});
