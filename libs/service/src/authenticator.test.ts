import { once } from "node:events";
import { createServer } from "node:http";
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTVerifyGetKey, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { createAuthenticator } from "./authenticator.ts";
import { remoteKeys } from "./remote-keys.ts";

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let pair: Pair;
let other: Pair;
let rsa: Pair;
let keys: JWTVerifyGetKey;

async function jwk(key: Pair, kid: string) {
  return { ...(await exportJWK(key.publicKey)), kid, use: "sig" };
}

beforeAll(async () => {
  pair = await generateKeyPair("EdDSA");
  other = await generateKeyPair("EdDSA");
  rsa = await generateKeyPair("RS256");
  keys = createLocalJWKSet({ keys: [{ ...(await jwk(pair, "k1")), alg: "EdDSA" }, await jwk(rsa, "rsa")] });
});

type Claims = { sub?: string; sid?: unknown; role?: unknown; iss?: string; aud?: string; exp?: number | string };

function sign(claims: Claims = {}, options: { key?: Pair; alg?: string; kid?: string } = {}): Promise<string> {
  const { sub = "u1", iss = "kinora", aud = "kinora", exp = "10m", ...rest } = claims;
  return new SignJWT({ sid: "s1", role: "member", ...rest })
    .setProtectedHeader({ alg: options.alg ?? "EdDSA", kid: options.kid ?? "k1" })
    .setSubject(sub)
    .setIssuer(iss)
    .setAudience(aud)
    .setIssuedAt()
    .setExpirationTime(exp)
    .sign((options.key ?? pair).privateKey);
}

const serviceToken = "service-token-0123456789";
const workerToken = "worker-token-0123456789";
const authenticate = (authorization: string | undefined) =>
  createAuthenticator({ keys, serviceToken, workerToken })(authorization);

describe("an authenticator accepts", () => {
  it("nobody, without a header", async () => {
    expect(await authenticate(undefined)).toEqual({ kind: "anonymous" });
  });

  it("an access token of the user service", async () => {
    expect(await authenticate(`Bearer ${await sign({ role: "owner" })}`)).toEqual({
      kind: "user",
      userId: "u1",
      role: "owner",
      sessionId: "s1",
    });
  });

  it("the shared credentials", async () => {
    expect(await authenticate(`Bearer ${serviceToken}`)).toEqual({ kind: "service" });
    expect(await authenticate(`bearer  ${workerToken}`)).toEqual({ kind: "worker" });
  });
});

describe("an authenticator refuses", () => {
  const unsigned = (claims: object) =>
    `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.`;
  const cases: [string, () => string | Promise<string>, RegExp][] = [
    ["an expired token", () => sign({ exp: Math.floor(Date.now() / 1000) - 1 }), /expired/],
    ["a token of another issuer", () => sign({ iss: "elsewhere" }), /isn't valid/],
    ["a token for another audience", () => sign({ aud: "elsewhere" }), /isn't valid/],
    ["a token signed with another key", () => sign({}, { key: other }), /isn't valid/],
    ["a token that names an unknown key", () => sign({}, { kid: "k9" }), /isn't valid/],
    [
      "a token of another algorithm, even with a known key",
      () => sign({}, { key: rsa, alg: "RS256", kid: "rsa" }),
      /isn't valid/,
    ],
    [
      "a token without a signature",
      () => unsigned({ sub: "u1", sid: "s1", role: "owner", iss: "kinora", aud: "kinora" }),
      /isn't valid/,
    ],
    ["a token with an unknown role", () => sign({ role: "emperor" }), /isn't valid/],
    ["a token whose session is no text", () => sign({ sid: 5 }), /isn't valid/],
    ["any other text", () => "nonsense", /isn't valid/],
    ["a shared credential with something added", () => `${serviceToken}x`, /isn't valid/],
    ["a megabyte", () => "x".repeat(1_000_000), /can't be read/],
  ];
  it.each(cases)("%s", async (_name, token, message) => {
    await expect(authenticate(`Bearer ${await token()}`)).rejects.toMatchObject({
      name: "DomainError",
      reason: "unauthenticated",
      message: expect.stringMatching(message),
    });
  });

  it.each(["Basic dXNlcjpwYXNz", "Bearer", "Bearer a b", ""])("the header %j", async (header) => {
    await expect(authenticate(header)).rejects.toMatchObject({ reason: "unauthenticated" });
  });

  it("the shared credentials where it has none", async () => {
    await expect(createAuthenticator({ keys })(`Bearer ${serviceToken}`)).rejects.toMatchObject({
      reason: "unauthenticated",
    });
    await expect(createAuthenticator({ keys })("Bearer undefined")).rejects.toMatchObject({
      reason: "unauthenticated",
    });
  });
});

describe("keys of a remote user service", () => {
  it("are fetched once, and serve on while it is away", async () => {
    let requests = 0;
    const body = JSON.stringify({ keys: [await jwk(pair, "k1")] });
    const server = createServer((request, response) => {
      requests++;
      response.statusCode = request.url === "/.well-known/jwks.json" ? 200 : 404;
      response.end(body);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    const remote = createAuthenticator({ keys: remoteKeys(`${url}/`) });
    expect(await remote(`Bearer ${await sign()}`)).toMatchObject({ kind: "user" });
    server.closeAllConnections();
    server.close();
    expect(await remote(`Bearer ${await sign()}`)).toMatchObject({ kind: "user" });
    expect(requests).toBe(1);
  });

  it("that can't be had make a call unavailable, not its token bad", async () => {
    for (const url of ["http://127.0.0.1:9", "http://no.such.host.invalid"]) {
      const remote = createAuthenticator({ keys: remoteKeys(url) });
      await expect(remote(`Bearer ${await sign()}`)).rejects.toMatchObject({ reason: "unavailable" });
    }
  });
});
