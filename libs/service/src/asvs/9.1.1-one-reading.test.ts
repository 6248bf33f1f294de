import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTokenMaker } from "../testing/token-maker.ts";
import { createAuthenticator } from "../tokens/authenticator.ts";

// ASVS 9.1.1 asks that what a token says is what was signed. That takes that it says one thing to everybody: of a name that is there twice one reader takes the first, another the last.
// RFC 7519, 4 leaves it to us to refuse; these all bear a good signature of our own key.

const maker = createTokenMaker();
const authenticate = createAuthenticator({ keys: maker.keys });
const identify = async (header: string | Buffer, claims: string | Buffer) =>
  authenticate(`Bearer ${maker.makeOf(header, claims)}`);
const refused = (header: string | Buffer, claims: string | Buffer) =>
  expect(identify(header, claims)).rejects.toMatchObject({
    reason: "unauthenticated",
    message: expect.stringMatching(/isn't valid/),
  });

const now = Math.floor(Date.now() / 1000);
const header = JSON.stringify({ alg: "EdDSA", typ: "at+jwt", kid: "k1" });
const members = { iss: "kinora", sub: "u1", sid: "s1", aud: ["encoder"], iat: now, exp: now + 600 };
const claims = JSON.stringify({ ...members, role: "member", kind: "user", scope: "videos:read" });
/** With one member more, at the start and at the end: readers who take the first or the last are both served. */
const placed = (json: string, member: string): [string, string] => [
  `{${member},${json.slice(1)}`,
  `${json.slice(0, -1)},${member}}`,
];

it("is good as it is made", async () => {
  expect(await identify(header, claims)).toMatchObject({ kind: "user", userId: "u1" });
});

describe("a token is refused", () => {
  it.each(['"alg":"EdDSA"', '"alg":"none"', '"typ":"at+jwt"', '"typ":"JWT"', '"kid":"k1"', '"kid":"k2"'])(
    "with %s twice in its header",
    async (member) => {
      for (const twice of placed(header, member)) await refused(twice, claims);
    },
  );

  it.each([
    '"sub":"u1"',
    '"sub":"u2"',
    '"role":"owner"',
    '"kind":"worker"',
    '"scope":"videos:read videos:write"',
    '"aud":["user"]',
    '"iss":"kinora"',
    `"exp":${now + 500}`,
    `"iat":${now}`,
  ])("with %s twice among its claims", async (member) => {
    for (const twice of placed(claims, member)) await refused(header, twice);
  });

  it.each([
    ["a name that is there twice by an escape", String.raw`"\u0073ub":"u2"`],
    ["a name that is there twice by an escape, in other letters", String.raw`"s\u0075\u0062":"u1"`],
    ["a name twice in what nobody asks for", '"other":{"a":1,"a":2}'],
  ])("with %s", async (_, member) => {
    for (const twice of placed(claims, member)) await refused(header, twice);
    for (const twice of placed(header, member)) await refused(twice, claims);
  });

  it.each([
    ["a name by an escape, though it is there once", claims.replace('"sub"', String.raw`"\u0073ub"`)],
    ["a value by an escape", claims.replace('"u1"', String.raw`"\u00751"`)],
    ["blanks", claims.replace(":", ": ")],
    ["a line break at its end", `${claims}\n`],
    ["a mark of byte order", `\ufeff${claims}`],
    ["a number in another form", claims.replace(String(now), `${now}.0`)],
    ["a number with an exponent", claims.replace(`${now + 600}`, `${(now + 600) / 10}e1`)],
  ])("with %s: claims are written in one way", (_, written) => refused(header, written));

  it("with bytes that are no UTF-8, which decoders take for one and the same character", async () => {
    for (const byte of [0x80, 0xc0, 0xff])
      await refused(header, Buffer.concat([Buffer.from(claims.slice(0, -2)), Buffer.from([byte]), Buffer.from('"}')]));
  });
});

it("may be nested as deep as a token is long", async () => {
  const deep = `${"[".repeat(2_500)}${"]".repeat(2_500)}`;
  expect(await identify(header, `${claims.slice(0, -1)},"deep":${deep}}`)).toMatchObject({ kind: "user" });
  await refused(deep, claims);
});

it("whatever one member is followed by, the token says what was said once, or nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.keys(members)), fc.json({ maxDepth: 1 }), async (name, value) => {
      for (const twice of placed(claims, `${JSON.stringify(name)}:${value}`)) await refused(header, twice);
    }),
    { numRuns: 200 },
  );
});
