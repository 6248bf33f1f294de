import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { createTokenMaker } from "../testing/token-maker.ts";
import { createAuthenticator } from "../tokens/authenticator.ts";
import type { KeySource } from "../tokens/key-source.ts";

// ASVS 9.1.3: keys come from where we look for them, never from where a token says.

const maker = createTokenMaker();
const attacker = createTokenMaker();

describe("a token that brings its own key", () => {
  it.each([
    ["jwk", { jwk: attacker.jwk }],
    ["jwk, in place of a name", { jwk: attacker.jwk, kid: undefined }],
    ["x5c", { x5c: [attacker.publicKey.export({ format: "der", type: "spki" }).toString("base64")] }],
  ])("as %s is refused", async (_name, header) => {
    const authenticate = createAuthenticator({ keys: maker.keys });
    await expect(Promise.resolve(authenticate(`Bearer ${attacker.make({}, header)}`))).rejects.toMatchObject({
      reason: "unauthenticated",
    });
  });

  it.each(["jku", "x5u"])("by address (%s) is refused, and nobody asks there", async (member) => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked++;
      response.end(JSON.stringify({ keys: [attacker.jwk] }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/.well-known/jwks.json`;
    const authenticate = createAuthenticator({ keys: maker.keys });
    for (const kid of ["k1", "k9"]) {
      await expect(
        Promise.resolve(authenticate(`Bearer ${attacker.make({}, { [member]: url, kid })}`)),
      ).rejects.toMatchObject({
        reason: "unauthenticated",
      });
    }
    server.close();
    expect(asked).toBe(0);
  });

  it("that is good otherwise is taken for what ours says, not for what it brings", async () => {
    const authenticate = createAuthenticator({ keys: maker.keys });
    const token = maker.make({}, { jwk: attacker.jwk, jku: "http://127.0.0.1:9/" });
    expect(await authenticate(`Bearer ${token}`)).toMatchObject({ kind: "user" });
  });
});

describe("a key's name", () => {
  it.each([
    "../../../../etc/passwd",
    "/dev/null",
    "k1' or '1'='1",
    "k1; drop table token_keys",
    "k1\u0000",
    "",
    "__proto__",
    "x".repeat(101),
    "x".repeat(5_000),
    5,
    null,
    undefined,
    ["k1"],
    { toString: "k1" },
  ])("of %j finds nothing", async (kid) => {
    const looked: string[] = [];
    const keys: KeySource = {
      ...maker.keys,
      async find(name) {
        looked.push(name);
        return undefined;
      },
    };
    await expect(
      Promise.resolve(createAuthenticator({ keys })(`Bearer ${maker.make({}, { kid })}`)),
    ).rejects.toMatchObject({ reason: "unauthenticated" });
    // Only what could be a name is looked for.
    expect(looked).toEqual(kid === "__proto__" ? [kid] : []);
  });

  it("is looked up once where nobody knows it, and the token refused", async () => {
    await expect(
      Promise.resolve(createAuthenticator({ keys: maker.keys })(`Bearer ${maker.make({}, { kid: "k9" })}`)),
    ).rejects.toMatchObject({ reason: "unauthenticated" });
  });
});
