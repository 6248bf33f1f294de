import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createTokenMaker, encoded, hmacWith } from "../testing/token-maker.ts";
import { createAuthenticator } from "../tokens/authenticator.ts";

// ASVS 9.1.1, 9.1.2: a signature is verified, with an algorithm of an allow-list that has no "none".

const maker = createTokenMaker();
const authenticate = createAuthenticator({ keys: maker.keys });
const refused = (token: string) =>
  expect(Promise.resolve(authenticate(`Bearer ${token}`))).rejects.toMatchObject({
    reason: "unauthenticated",
    message: expect.stringMatching(/isn't valid/),
  });

describe("an access token is refused", () => {
  it.each([
    "none",
    "None",
    "NONE",
    "nOnE",
    "",
    null,
    undefined,
    "HS256",
    "ES256",
    "RS256",
    "EdDSA ",
    "eddsa",
    "Ed448",
    5,
    ["EdDSA"],
  ])("with the algorithm %j, though its signature is right", async (alg) => {
    await refused(maker.make({}, { alg }));
  });

  it.each(["none", "EdDSA"])("without a signature, as %s", async (alg) => {
    const [head, body] = maker.make({}, { alg }).split(".");
    await refused(`${head}.${body}.`);
    await refused(`${head}.${body}`);
  });

  it("with HMAC under what everybody can read: the public key in each of its forms", async () => {
    const { publicKey, jwk } = maker;
    const secrets = [
      publicKey.export({ format: "pem", type: "spki" }),
      publicKey.export({ format: "der", type: "spki" }),
      Buffer.from(jwk.x, "base64url"),
      JSON.stringify(jwk),
      "",
    ];
    for (const secret of secrets) {
      for (const alg of ["HS256", "EdDSA"]) await refused(maker.signWith(hmacWith(secret), {}, { alg }));
    }
  });

  it("with another key's signature under our key's name", async () => {
    await refused(createTokenMaker().make());
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await refused(maker.signWith((signed) => sign("sha256", signed, { key: privateKey, dsaEncoding: "ieee-p1363" })));
  });

  it("when a bit of any of its parts has changed", async () => {
    const token = maker.make({ role: "member" });
    for (const at of [3, token.indexOf(".") + 20, token.lastIndexOf(".") + 20]) {
      const other = token[at] === "A" ? "B" : "A";
      await refused(token.slice(0, at) + other + token.slice(at + 1));
    }
    const [head, , signature] = token.split(".");
    await refused(`${head}.${maker.make({ role: "owner" }).split(".")[1]}.${signature}`);
  });

  it.each([
    ["a text", "nonsense"],
    ["two dots", ".."],
    ["four parts", "a.b.c.d"],
    ["a header that is no JSON", `${encoded("{")}.${encoded("{}")}.${"A".repeat(86)}`],
    ["a header that is a list", `${encoded("[]")}.${encoded("{}")}.${"A".repeat(86)}`],
    ["a header that is null", `${encoded("null")}.${encoded("{}")}.${"A".repeat(86)}`],
    ["a signature of zeros", `${maker.make().split(".").slice(0, 2).join(".")}.${"A".repeat(86)}`],
    ["what follows a good one", `${maker.make()}.x`],
  ])("that is %s", async (_name, token) => {
    await refused(token);
  });

  it("that is a megabyte long, before anything is made of it", async () => {
    await expect(Promise.resolve(authenticate(`Bearer ${"x".repeat(1_000_000)}`))).rejects.toMatchObject({
      reason: "unauthenticated",
      message: expect.stringMatching(/can't be read/),
    });
    await expect(
      Promise.resolve(authenticate(`Bearer ${maker.make({ pad: "x".repeat(1_000_000) })}`)),
    ).rejects.toMatchObject({
      reason: "unauthenticated",
    });
  });
});

it("accepts what it should", async () => {
  expect(await authenticate(`Bearer ${maker.make()}`)).toMatchObject({ kind: "user", userId: "u1" });
});
