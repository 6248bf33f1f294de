import { describe, expect, it } from "vitest";
import { createTokenMaker } from "../testing/token-maker.ts";
import { createAuthenticator } from "./authenticator.ts";

// What it refuses of access tokens is in ../asvs.

const { keys, make } = createTokenMaker();
const serviceToken = "service-token-0123456789";
const workerToken = "worker-token-0123456789";
const authenticate = createAuthenticator({ keys, serviceToken, workerToken });

describe("an authenticator accepts", () => {
  it("nobody, without a header", () => {
    expect(authenticate(undefined)).toEqual({ kind: "anonymous" });
  });

  it("an access token of a session, and of an API key", async () => {
    const granted = {
      scopes: new Set(["videos:read", "account:read"]),
      audiences: new Set(["user", "encoder", "kinora"]),
    };
    expect(await authenticate(`Bearer ${make({ role: "owner" })}`)).toEqual({
      kind: "user",
      userId: "u1",
      role: "owner",
      sessionId: "s1",
      keyId: undefined,
      ...granted,
    });
    expect(await authenticate(`bearer  ${make({ sid: "key1", key: "key1" })}`)).toMatchObject({
      sessionId: undefined,
      keyId: "key1",
    });
  });

  it("the shared credentials, as built-in service accounts", async () => {
    const all = { id: "built-in", scopes: "all", audiences: "all" };
    expect(await authenticate(`Bearer ${serviceToken}`)).toEqual({ kind: "service", ...all });
    expect(await authenticate(`bearer  ${workerToken}`)).toEqual({ kind: "worker", ...all });
  });
});

describe("an authenticator refuses", () => {
  it.each(["Basic dXNlcjpwYXNz", "Bearer", "Bearer a b", "", `Bearer ${"x".repeat(1_000_000)}`])(
    "a header that it can't read",
    async (header) => {
      await expect(Promise.resolve(authenticate(header))).rejects.toMatchObject({ reason: "unauthenticated" });
    },
  );

  it("a shared credential with something added", async () => {
    await expect(Promise.resolve(authenticate(`Bearer ${serviceToken}x`))).rejects.toMatchObject({
      reason: "unauthenticated",
    });
  });

  it("the shared credentials where it has none", async () => {
    const none = createAuthenticator({ keys });
    for (const token of [serviceToken, "undefined", ""]) {
      await expect(Promise.resolve(none(`Bearer ${token}`))).rejects.toMatchObject({ reason: "unauthenticated" });
    }
  });
});
