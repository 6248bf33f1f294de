import { openTestDatabase } from "@kinora/database/testing";
import { jwtVerify } from "jose";
import { expect, it } from "vitest";
import { userMigrations } from "../migrations.ts";
import { createStore } from "../store/store.ts";
import { signAccessToken } from "./access-token.ts";
import { loadSigningKeys } from "./signing-keys.ts";

it("is made once, however many processes start, and published without its private part", async () => {
  const database = await openTestDatabase("user", userMigrations);
  try {
    const signal = AbortSignal.timeout(30_000);
    const load = () => loadSigningKeys(createStore(database), signal, new Date());
    const [first, ...others] = await Promise.all([load(), load(), load(), load()]);
    const [later] = [await load()];
    for (const keys of [...others, later]) expect(keys.jwks).toEqual(first.jwks);
    expect(first.jwks.keys).toEqual([
      { kty: "OKP", crv: "Ed25519", x: expect.any(String), kid: first.kid, use: "sig", alg: "EdDSA" },
    ]);
    const holder = { userId: "u", sessionId: "s", role: "member" } as const;
    const { token } = await signAccessToken(first, holder, new Date());
    const { payload } = await jwtVerify(token, later.verification, { issuer: "kinora", audience: "kinora" });
    expect(payload).toMatchObject({ sub: "u", sid: "s", role: "member" });
  } finally {
    await database.close();
  }
});
