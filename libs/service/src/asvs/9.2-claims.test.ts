import { checkGrant } from "@kinora/rpc";
import { describe, expect, it } from "vitest";
import { createTokenMaker, type Members } from "../testing/token-maker.ts";
import { clockSkewSeconds, longestTokenSeconds } from "../tokens/access-token.ts";
import { createAuthenticator } from "../tokens/authenticator.ts";

// ASVS 9.2.1 time span, 9.2.2 type, 9.2.3 and 9.2.4 audience.

const maker = createTokenMaker();
const seconds = Math.floor(Date.now() / 1000);
const authenticate = createAuthenticator({ keys: maker.keys, now: () => seconds * 1000 });
const identify = (claims: Members, header?: Members) =>
  Promise.resolve(authenticate(`Bearer ${maker.make({ iat: seconds, exp: seconds + 600, ...claims }, header)}`));
const refused = (claims: Members, message = /isn't valid/, header?: Members) =>
  expect(identify(claims, header)).rejects.toMatchObject({
    reason: "unauthenticated",
    message: expect.stringMatching(message),
  });

describe("9.2.1: a token", () => {
  it.each([seconds - 1, seconds - 600, 0, -1, seconds])("that ended at %i (now or before) is refused", (exp) =>
    refused({ exp }, /expired/),
  );
  it("that has a second left is good", async () => {
    await identify({ exp: seconds + 1 });
  });
  it.each([undefined, null, String(seconds + 600), "never", {}, [seconds + 600], true])(
    "whose end is %j is refused",
    (exp) => refused({ exp }),
  );
  it.each([seconds + 1, seconds + 600, "now", null])("that isn't good before %j is refused", (nbf) => refused({ nbf }));
  it.each([undefined, null, String(seconds), {}])("that was made at %j is refused", (iat) => refused({ iat }));
  it("may end within a second (RFC 7519, 2: a time may have a fraction)", async () => {
    await identify({ exp: seconds + 0.5 });
    await refused({ exp: seconds - 0.5 }, /expired/);
  });
  it("that is good from now on is good", async () => {
    await identify({ nbf: seconds });
  });
  it.each([
    ["lives ten years", { exp: seconds + 315_360_000 }],
    ["lives a second more than any", { exp: seconds + longestTokenSeconds + 1 }],
    ["lives a bit more than any", { exp: seconds + longestTokenSeconds + 0.1 }],
    ["has lived for years, and ends soon", { iat: seconds - 315_360_000, exp: seconds + 600 }],
    ["has lived for ever", { iat: -1e308, exp: seconds + 600 }],
    ["lives for ever", { exp: 1e308 }],
    ["ends before it was made", { iat: seconds + 100, exp: seconds + 50 }],
    ["ends as it is made", { iat: seconds + 100, exp: seconds + 100 }],
  ])("that %s is refused, though one of our own keys signed it", (_, claims) => refused(claims));
  it("that lives as long as a later release may let it, is good", async () => {
    await identify({ exp: seconds + longestTokenSeconds });
  });
  it.each([clockSkewSeconds + 1, 3_600, 315_360_000])(
    "that was made %i s ahead of our clock is refused, and clocks are named",
    (ahead) => refused({ iat: seconds + ahead, exp: seconds + ahead + 600 }, /clocks .* must agree within 5 minutes/),
  );
  it("that was made by a clock somewhat ahead of ours is good", async () => {
    await identify({ iat: seconds + clockSkewSeconds, exp: seconds + clockSkewSeconds + 600 });
  });
  it("isn't believed past its end because it was seen before", async () => {
    let now = seconds;
    const later = createAuthenticator({ keys: maker.keys, now: () => now * 1000 });
    const authorization = `Bearer ${maker.make({ exp: seconds + 5 })}`;
    await later(authorization);
    now += 4;
    expect(later(authorization)).toMatchObject({ kind: "user" }); // at once: it was seen
    now += 1;
    await expect(Promise.resolve(later(authorization))).rejects.toMatchObject({ reason: "unauthenticated" });
  });
});

describe("9.2.2: a token of another type", () => {
  it.each(["JWT", "jwt", "id_token+jwt", "", undefined, null, ["at+jwt"]])("%j is refused", (typ) =>
    refused({}, /isn't valid/, { typ }),
  );
  it("and one with extensions that must be understood, too", () =>
    refused({}, /isn't valid/, { crit: ["b64"], b64: false }));
});

describe("9.2.3: a token", () => {
  it.each(["encoder", ["encoder"]])("for %j is for nobody else", async (aud) => {
    const caller = await identify({ aud });
    if (caller.kind !== "user") throw new Error("not a user");
    expect(() => checkGrant({ audience: "user" }, caller)).toThrow(/isn't for the user service/);
    checkGrant({ audience: "encoder" }, caller);
  });
  it.each([undefined, [], 5, [5], { encoder: true }])("for %j is refused", (aud) => refused({ aud }));
  it("of another issuer is refused", () => refused({ iss: "https://elsewhere.example" }));
  it.each([undefined, ["kinora"]])("whose issuer is %j is refused", (iss) => refused({ iss }));
});

describe("a token's holder", () => {
  it.each([undefined, "", 5])("has a name, not %j", (sub) => refused({ sub }));
  it.each([undefined, "emperor", "Owner", ["owner"]])("has a role, not %j", (role) => refused({ role }));
  it.each(["robot", "anonymous", 1])("isn't a %j", (kind) => refused({ kind }));
  it.each([5, ["videos:read"], null])("has scopes, not %j", (scope) => refused({ scope }));
  it("can do what the scopes say", async () => {
    const caller = await identify({ scope: "videos:read" });
    if (caller.kind !== "user") throw new Error("not a user");
    checkGrant({ audience: "encoder", scope: "videos:read" }, caller);
    expect(() => checkGrant({ audience: "encoder", scope: "videos:write" }, caller)).toThrow(/videos:write/);
  });
  it("is a worker or a service, where the token says so", async () => {
    expect(await identify({ kind: "worker", scope: "tasks:work" })).toMatchObject({ kind: "worker", id: "u1" });
    expect(await identify({ kind: "service", scope: "" })).toMatchObject({
      kind: "service",
      id: "u1",
      scopes: new Set(),
    });
  });
});

describe("a token of a release before 0.2, without kind and scope,", () => {
  const old = { kind: undefined, scope: undefined };
  it("is good for everything that people can do", async () => {
    expect(await identify({ ...old, aud: "kinora" })).toEqual({
      kind: "user",
      userId: "u1",
      role: "member",
      sessionId: "s1",
      keyId: undefined,
      scopes: "all",
      audiences: "all",
    });
  });
  it("is held to the one audience there was", () => refused({ ...old, aud: "elsewhere" }));
});
