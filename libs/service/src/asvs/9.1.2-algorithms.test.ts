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

  // RFC 7515, 2: base64url without padding, line breaks or white space. Node's decoder would forgive all of these.
  const [head = "", body = "", signature = ""] = maker.make().split(".");
  it.each([
    ["padding", `${head}.${body}.${signature}==`],
    ["padding of the header", `${head}=.${body}.${signature}`],
    ["a line break in its signature", `${head}.${body}.${signature.slice(0, 40)}\n${signature.slice(40)}`],
    ["a blank at its end", `${head}.${body}.${signature}\t`],
    ["the alphabet of base64", `${head}.${body}.${signature.slice(0, 85)}+`],
    ["one character less", `${head}.${body}.${signature.slice(0, 85)}`],
    ["one character more", `${head}.${body}.${signature}A`],
    ["bits at its end that mean nothing", `${head}.${body}.${withSpareBits(signature)}`],
  ])("with %s: a token is written in one way", async (_name, token) => {
    await expect(Promise.resolve(authenticate(`Bearer ${token}`))).rejects.toMatchObject({ reason: "unauthenticated" });
  });

  it("with the other signature that the same equation has (RFC 8032, 8.4): S beyond the group's order", async () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const bytes = Buffer.from(signature, "base64url");
    let s = order;
    for (let at = 0; at < 32; at++) s += BigInt(bytes[32 + at] ?? 0) << BigInt(8 * at);
    for (let at = 0; at < 32; at++) bytes[32 + at] = Number((s >> BigInt(8 * at)) & 255n);
    await refused(`${head}.${body}.${bytes.toString("base64url")}`);
  });

  it("within another token, and with more to it than was signed", async () => {
    const inner = maker.make();
    await refused(
      `${encoded(JSON.stringify({ alg: "EdDSA", typ: "at+jwt", kid: "k1", cty: "JWT" }))}.${encoded(inner)}.${signature}`,
    );
    await refused(`${head}.${body}A.${signature}`);
    await refused(`${head}.${body.slice(0, -1)}.${signature}`);
    await refused(`${head}.${body}.${signature}.${body}.${signature}`);
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

/** 64 bytes take 86 characters, whose last one has four bits to spare. */
function withSpareBits(signature: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return signature.slice(0, 85) + alphabet[alphabet.indexOf(signature[85] ?? "") + 1];
}
