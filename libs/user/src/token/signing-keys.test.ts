import { generateKeyPairSync } from "node:crypto";
import type { Database } from "@kinora/database";
import { openTestDatabase } from "@kinora/database/testing";
import { createSeal, tokenIssuer, verifyAccessToken } from "@kinora/service";
import { calculateJwkThumbprint } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { userMigrations } from "../migrations.ts";
import { createStore } from "../store/store.ts";
import { memoryLogger } from "../testing/service-under-test.ts";
import { createAccessTokens } from "./access-token.ts";
import { publishMs, retireMs, signingMs } from "./key-schedule.ts";
import { loadSigningKeys, type SigningKeys } from "./signing-keys.ts";

let database: Database;
let time: number;
const loaded: SigningKeys[] = [];
const signal = AbortSignal.timeout(60_000);
const now = () => new Date(time);
const issuer = () => tokenIssuer;

beforeEach(async () => {
  time = Date.now();
  database = await openTestDatabase("user", userMigrations);
});
afterEach(async () => {
  await Promise.all(loaded.splice(0).map((keys) => keys.close()));
  await database.close();
});

async function replica(secret = "the secret of all replicas") {
  const seal = createSeal(secret, "signing keys");
  const keys = await loadSigningKeys(
    { store: createStore(database), seal, logger: memoryLogger().logger, now, issuer },
    signal,
  );
  loaded.push(keys);
  return keys;
}

const sign = async (keys: SigningKeys) =>
  (
    await createAccessTokens({ keys, issuer, now }).sign({
      subject: "u",
      kind: "user",
      role: "member",
      source: { session: "s" },
      scopes: ["videos:read"],
    })
  ).token;
const verify = (token: string, keys: SigningKeys) => verifyAccessToken(token, keys, time);

describe("signing keys", () => {
  it("are made once, however many processes start, and published without their private parts", async () => {
    const [first, ...others] = await Promise.all([replica(), replica(), replica(), replica()]);
    const later = await replica();
    for (const keys of [...others, later]) {
      expect((await keys.current()).kid).toBe((await first.current()).kid);
      expect(new Set(keys.jwks().keys.map(({ kid }) => kid))).toEqual(new Set(first.jwks().keys.map(({ kid }) => kid)));
    }
    const key = {
      kty: "OKP",
      crv: "Ed25519",
      x: expect.any(String),
      kid: expect.any(String),
      use: "sig",
      alg: "EdDSA",
    };
    expect(first.jwks()).toEqual({ keys: [key, key] });
    for (const { kid, ...jwk } of first.jwks().keys) expect(kid).toBe(await calculateJwkThumbprint(jwk));
    expect((await verify(await sign(first), later)).caller).toMatchObject({
      kind: "user",
      userId: "u",
      sessionId: "s",
    });
  });

  it("lie in the database sealed", async () => {
    const keys = await replica();
    const { d = "" } = (await keys.current()).privateKey.export({ format: "jwk" });
    const { rows } = await database.pool.query(
      "select t::text as row, encode(sealed_private_key, 'base64') as sealed from token_keys t",
    );
    const seed = Buffer.from(d, "base64url");
    for (const { row, sealed } of rows) {
      expect(Buffer.from(sealed, "base64").includes(seed)).toBe(false);
      expect(row).not.toContain(d);
      expect(row).not.toContain(seed.toString("hex"));
    }
  });

  it("change every thirty days, and nobody whose token is good notices", async () => {
    const one = await replica();
    const other = await replica();
    const used = new Set<string>();
    for (let day = 0; day < 100; day++) {
      // One of the two looks at the keys; the other has what it saw a day ago.
      await (day % 2 === 0 ? one : other).refresh(signal);
      for (const [from, to] of [
        [one, other],
        [other, one],
      ] as const) {
        const token = await sign(from);
        used.add((await from.current()).kid);
        time += 599_000;
        await verify(token, to);
      }
      expect(one.jwks().keys.length).toBeGreaterThanOrEqual(2);
      expect(one.jwks().keys.length).toBeLessThanOrEqual(3);
      time += 86_400_000 - 2 * 599_000;
    }
    expect(used.size).toBe(4);
  });

  it("that retired are gone everywhere", async () => {
    const keys = await replica();
    const { kid } = await keys.current();
    time += signingMs + publishMs + retireMs + 1;
    await keys.refresh(signal);
    expect(keys.known(kid)).toBeUndefined();
    expect((await keys.current()).kid).not.toBe(kid);
    const { rows } = await database.pool.query("select kid from token_keys");
    expect(rows.map((row) => row.kid)).not.toContain(kid);
  });

  it("of a replica with another secret are its own, and still everybody's to verify with", async () => {
    const one = await replica();
    const stranger = await replica("a secret of its own");
    expect((await stranger.current()).kid).not.toBe((await one.current()).kid);
    const token = await sign(stranger);
    expect(one.known((await stranger.current()).kid)).toBeUndefined();
    await verify(token, one); // looks for the key that it doesn't know
    await verify(await sign(one), stranger);
    expect((await (await replica()).current()).kid).toBe((await one.current()).kid);
  });

  it("of the release before serve for an hour more, and then disappear", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    await database.pool.query("insert into signing_keys (kid, private_jwk, create_time) values ('old', $1, $2)", [
      JSON.stringify(privateKey.export({ format: "jwk" })),
      now(),
    ]);
    const keys = await replica();
    expect((await keys.current()).kid).toBe("old");
    const token = await sign(keys);
    expect(keys.jwks().keys.length).toBe(2);
    time += publishMs + 1;
    expect((await keys.current()).kid).not.toBe("old");
    await expect(verify(token, keys)).rejects.toThrow(/expired/);
    expect(keys.known("old")).toBeDefined();
    time += retireMs;
    await keys.refresh(signal);
    expect(keys.known("old")).toBeUndefined();
    expect((await database.pool.query("select 1 from signing_keys")).rowCount).toBe(0);
  });
});
