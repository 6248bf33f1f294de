import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

// ASVS 7.2.3: session tokens have 128 random bits or more. 7.2.4: each authentication makes new ones.

let kinora: ServiceUnderTest;
let ada: Person;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
  ada = await kinora.join("Ada");
});
afterAll(() => kinora?.close());

describe("7.2.3: refresh tokens", () => {
  it("have 256 bits, of which every one is as often 0 as 1", async () => {
    const tokens: string[] = [];
    for (let count = 0; count < 8; count++) tokens.push((await kinora.login(ada.email, ada.password)).refreshToken);
    for (let count = 0; count < 56; count++) {
      const refreshToken = tokens.at(-1) ?? "";
      const { tokens: next } = await kinora.as().sessions.refreshSession({ refreshToken });
      tokens.push(next?.refreshToken ?? "");
    }
    const bytes = tokens.map((token) => Buffer.from(token, "base64url"));
    expect(new Set(bytes.map(({ length }) => length))).toEqual(new Set([32]));
    expect(new Set(tokens).size).toBe(tokens.length);
    // Of 64 fair coins fewer than 8 or more than 56 heads come up once in 10^10 tries; there are 256 such rows of coins.
    for (let bit = 0; bit < 256; bit++) {
      const ones = bytes.filter((token) => (token.readUInt8(bit >> 3) >> (bit & 7)) & 1).length;
      expect(ones).toBeGreaterThanOrEqual(8);
      expect(ones).toBeLessThanOrEqual(56);
    }
  });
});

describe("7.2.4: an authentication", () => {
  it("makes a session and tokens that weren't there before", async () => {
    const one = await kinora.login(ada.email, ada.password);
    const other = await kinora.login(ada.email, ada.password);
    expect(other.refreshToken).not.toBe(one.refreshToken);
    expect(decodeJwt(other.accessToken).sid).not.toBe(decodeJwt(one.accessToken).sid);
    expect(decodeJwt(other.accessToken).jti).not.toBe(decodeJwt(one.accessToken).jti);
  });

  it("within a session replaces its tokens: the ones before are worth nothing", async () => {
    const { accessToken, refreshToken } = await kinora.login(ada.email, ada.password);
    const { tokens } = await kinora
      .as(accessToken)
      .sessions.confirmSession({ check: { proof: { case: "password", value: ada.password } } });
    expect(tokens?.refreshToken).not.toBe(refreshToken);
    await kinora.as().sessions.refreshSession({ refreshToken: tokens?.refreshToken ?? "" });
    expect((await faultOf(kinora.as().sessions.refreshSession({ refreshToken }))).code).toBe("Unauthenticated");
  });

  it("within a session fails with a wrong password, and changes nothing", async () => {
    const { accessToken, refreshToken } = await kinora.login(ada.email, ada.password);
    const check = { proof: { case: "password" as const, value: "not Ada's password" } };
    expect((await faultOf(kinora.as(accessToken).sessions.confirmSession({ check }))).code).toBe("Unauthenticated");
    await kinora.as().sessions.refreshSession({ refreshToken });
  });
});
