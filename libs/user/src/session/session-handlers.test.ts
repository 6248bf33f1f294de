import { createHash } from "node:crypto";
import { Role } from "@kinora/proto-user";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";
import { absoluteLifetimeMs, idleLifetimeMs } from "./session.ts";

let kinora: ServiceUnderTest;
let ada: Person;

beforeAll(async () => {
  kinora = await startServiceUnderTest();
  ada = await kinora.join("Ada");
});
afterAll(() => kinora?.close());

const refresh = async (refreshToken: string) => {
  const { tokens } = await kinora.as().sessions.refreshSession({ refreshToken });
  if (tokens === undefined) throw new Error("no tokens");
  return tokens;
};
const whoIs = (accessToken: string) => kinora.as(accessToken).sessions.getSession({});

describe("CreateSession", () => {
  it("answers with who it is and tokens that other services can verify", async () => {
    const { sessionId, tokens, user } = await kinora.as().sessions.createSession(ada);
    expect(user).toMatchObject({ id: ada.id, email: ada.email, role: Role.MEMBER });
    const token = tokens?.accessToken ?? "";
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: "EdDSA", kid: expect.any(String) });
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({ sub: ada.id, sid: sessionId, role: "member", iss: "kinora" });
    expect(claims.aud).toEqual(["encoder", "user", "kinora"]);
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600);
    expect(tokens?.accessExpireTime?.seconds).toBe(BigInt(claims.exp ?? 0));
    expect(Buffer.from(tokens?.refreshToken ?? "", "base64url").length).toBeGreaterThanOrEqual(32);
    expect(await whoIs(token)).toMatchObject({ sessionId, user: { id: ada.id } });
  });

  it("keeps no refresh token that could be used from a stolen database", async () => {
    const { rows } = await kinora.database.pool.query("select token_hash from refresh_tokens");
    const hashes = rows.map(({ token_hash }) => token_hash.toString("hex"));
    expect(hashes).toContain(createHash("sha256").update(ada.refreshToken).digest("hex"));
    const { rows: dumped } = await kinora.database.pool.query("select s::text from sessions s");
    expect(JSON.stringify(dumped)).not.toContain(ada.refreshToken);
  });

  it("knows the address in any case, and the password only as it is", async () => {
    await kinora.login(ada.email.toUpperCase(), ada.password);
    for (const password of [ada.password.toUpperCase(), `${ada.password} `, ada.password.slice(0, -1)]) {
      expect((await faultOf(kinora.login(ada.email, password))).code).toBe("Unauthenticated");
    }
  });

  it("answers alike for an unknown address and for a wrong password", async () => {
    const wrong = await faultOf(kinora.as(undefined, "192.0.2.77").sessions.createSession({ ...ada, password: "no" }));
    const strangers = ["nobody@example.com", "not an address", "", "👍@example.com"].slice(0, 2);
    for (const email of strangers) {
      const unknown = await faultOf(
        kinora.as(undefined, "192.0.2.77").sessions.createSession({ email, password: "no" }),
      );
      expect(unknown).toEqual(wrong);
    }
    expect(wrong.code).toBe("Unauthenticated");
  });

  it.each([
    ["no address", { email: "" }, ["email"]],
    ["an over-long address", { email: "x".repeat(255) }, ["email"]],
    ["a null byte", { email: "a\0@example.com" }, ["email"]],
    ["no password", { password: "" }, ["password"]],
    ["an over-long password", { password: "x".repeat(10_000) }, ["password"]],
  ])("refuses %s", async (_what, wrong, fields) => {
    const call = kinora.as().sessions.createSession({ email: ada.email, password: ada.password, ...wrong });
    expect(await faultOf(call)).toMatchObject({ code: "InvalidArgument", fields });
  });

  it("makes room for a new session when somebody has a hundred", async () => {
    const many = await kinora.join("Many");
    await kinora.database.pool.query(
      `insert into sessions select gen_random_uuid(), user_id, '', create_time + n * interval '1 ms', refresh_time + n * interval '1 ms',
         idle_expire_time, expire_time from sessions, generate_series(1, 150) n where user_id = $1`,
      [many.id],
    );
    kinora.advance(1_000);
    const { sessionId } = await kinora.as().sessions.createSession(many);
    const { rows } = await kinora.database.pool.query("select id from sessions where user_id = $1", [many.id]);
    expect(rows.length).toBe(100);
    expect(rows.map(({ id }) => id)).toContain(sessionId);
    expect((await faultOf(refresh(many.refreshToken))).code).toBe("Unauthenticated"); // the oldest
  });
});

describe("RefreshSession", () => {
  it("replaces the tokens", async () => {
    const { refreshToken } = await kinora.login(ada.email, ada.password);
    const second = await refresh(refreshToken);
    expect(second.refreshToken).not.toBe(refreshToken);
    const third = await refresh(second.refreshToken);
    expect(await whoIs(third.accessToken)).toMatchObject({ user: { id: ada.id } });
  });

  it("forgets used tokens that are older than the last two thousand", async () => {
    const first = await kinora.login(ada.email, ada.password);
    const second = await refresh(first.refreshToken);
    await kinora.database.pool.query(
      `insert into refresh_tokens select sha256(n::text::bytea), session_id, create_time + n * interval '1 ms', use_time
       from refresh_tokens, generate_series(1, 2000) n where token_hash = $1`,
      [createHash("sha256").update(first.refreshToken).digest()],
    );
    kinora.advance(10_000);
    const third = await refresh(second.refreshToken);
    expect((await faultOf(refresh(first.refreshToken))).code).toBe("Unauthenticated");
    await refresh(third.refreshToken); // the session goes on
  });

  it("lets exactly one of several simultaneous calls win, and leaves that one its session", async () => {
    for (let round = 0; round < 5; round++) {
      const { refreshToken } = await kinora.login(ada.email, ada.password);
      // Calls are simultaneous when all have seen the token unused: hold the session's row until they have.
      const holder = await kinora.database.pool.connect();
      await holder.query("begin");
      await holder.query("select 1 from sessions for update");
      const calls = Array.from({ length: 4 }, () => refresh(refreshToken));
      const settled = Promise.allSettled(calls);
      for (let waiting = 0; waiting < 4; ) {
        const { rows } = await kinora.database.pool.query(
          "select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock'",
        );
        waiting = rows[0].n;
      }
      await holder.query("commit");
      holder.release();
      const results = await settled;
      const won = results.filter((result) => result.status === "fulfilled").map(({ value }) => value);
      expect(won.length).toBe(1);
      const lost = await Promise.all(calls.filter((_, index) => results[index]?.status === "rejected").map(faultOf));
      expect(lost.map(({ code }) => code)).toEqual(["Aborted", "Aborted", "Aborted"]);
      await refresh(won[0]?.refreshToken ?? "");
    }
  });

  it.each([
    ["a token that never was", "A".repeat(43), "Unauthenticated"],
    ["anything at all", "👍\0", "Unauthenticated"],
    ["nothing", "", "InvalidArgument"],
    ["an over-long token", "A".repeat(501), "InvalidArgument"],
  ])("refuses %s", async (_what, token, code) => {
    expect((await faultOf(refresh(token))).code).toBe(code);
  });
});

describe("the end of a session", () => {
  it("comes 30 days after the last refresh", async () => {
    const { refreshToken } = await kinora.login(ada.email, ada.password);
    kinora.advance(idleLifetimeMs - 60_000);
    const next = await refresh(refreshToken);
    kinora.advance(idleLifetimeMs - 60_000);
    const last = await refresh(next.refreshToken);
    kinora.advance(idleLifetimeMs);
    expect((await faultOf(refresh(last.refreshToken))).code).toBe("Unauthenticated");
  });

  it("comes after 90 days whatever happens", async () => {
    const { refreshToken } = await kinora.login(ada.email, ada.password);
    const end = kinora.now().getTime() + absoluteLifetimeMs;
    let token = refreshToken;
    for (let day = 20; day < 90; day += 20) {
      kinora.advance(20 * 86_400_000);
      const tokens = await refresh(token);
      expect(Number(tokens.refreshExpireTime?.seconds ?? 0) * 1000).toBeLessThanOrEqual(end);
      token = tokens.refreshToken;
    }
    kinora.advance(10 * 86_400_000);
    expect((await faultOf(refresh(token))).code).toBe("Unauthenticated");
  });

  it("is seen by GetSession, though the access token itself is still good", async () => {
    const { accessToken, refreshToken } = await kinora.login(ada.email, ada.password);
    kinora.advance(idleLifetimeMs);
    expect((await faultOf(whoIs(accessToken))).code).toBe("Unauthenticated");
    expect((await faultOf(refresh(refreshToken))).code).toBe("Unauthenticated");
  });

  it("is brought about by logging out, with any token of the session, twice or not at all", async () => {
    const { accessToken, refreshToken } = await kinora.login(ada.email, ada.password);
    const next = await refresh(refreshToken);
    await kinora.as().sessions.revokeSession({ refreshToken });
    expect((await faultOf(refresh(next.refreshToken))).code).toBe("Unauthenticated");
    expect((await faultOf(whoIs(accessToken))).code).toBe("Unauthenticated");
    await kinora.as().sessions.revokeSession({ refreshToken });
    await kinora.as().sessions.revokeSession({ refreshToken: "never was" });
    expect((await faultOf(kinora.as().sessions.revokeSession({ refreshToken: "" }))).code).toBe("InvalidArgument");
  });
});

describe("GetSession", () => {
  it("needs a user's token", async () => {
    expect((await faultOf(kinora.as().sessions.getSession({}))).code).toBe("Unauthenticated");
    expect((await faultOf(kinora.as("nonsense").sessions.getSession({}))).code).toBe("Unauthenticated");
  });
});

it("writes no password and no token to the log", async () => {
  const { accessToken, refreshToken } = await kinora.login(ada.email, ada.password);
  const log = kinora.lines.join("\n");
  expect(log).not.toBe("");
  for (const secret of [ada.password, accessToken, refreshToken, ada.refreshToken]) expect(log).not.toContain(secret);
});
