import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repeatMs } from "../session/refresh-decision.ts";
import { absoluteLifetimeMs } from "../session/session.ts";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

// ASVS 10.4.5: a refresh token that comes back ends its family. 10.4.8: refresh tokens end, however often they are exchanged.

let kinora: ServiceUnderTest;
let ada: Person;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
  ada = await kinora.join("Ada");
});
afterAll(() => kinora?.close());

const refresh = async (refreshToken: string, device = "kinora-cli/1", address = "192.0.2.1") => {
  const headers = { "user-agent": device };
  const { tokens } = await kinora.as(undefined, address).sessions.refreshSession({ refreshToken }, { headers });
  return tokens?.refreshToken ?? "";
};
const ended = async (call: Promise<unknown>) => expect((await faultOf(call)).code).toBe("Unauthenticated");
const login = async () => (await kinora.login(ada.email, ada.password)).refreshToken;
const events = async () =>
  (await kinora.database.pool.query("select type from audit_events order by id")).rows.map(({ type }) => type);

describe("10.4.5: a refresh token that was used before", () => {
  it("ends its session, the newest token included, and no other session", async () => {
    const first = await login();
    const other = await login();
    const second = await refresh(first);
    const third = await refresh(second);
    await ended(refresh(first));
    await ended(refresh(third));
    expect(await events()).toContain("session.replayed");
    await refresh(other);
  });

  it("is worth nothing half a minute later, even if nothing else was heard of it", async () => {
    const first = await login();
    const second = await refresh(first);
    kinora.advance(repeatMs + 1);
    await ended(refresh(first));
    await ended(refresh(second));
  });

  it("is worth nothing to another program, however soon", async () => {
    const first = await login();
    const second = await refresh(first, "kinora-cli/1");
    await ended(refresh(first, "thief/1"));
    await ended(refresh(second, "kinora-cli/1"));
  });
});

describe("a client whose answer was lost", () => {
  it("gets the same token again, on whatever network it is now, until it has used that one", async () => {
    const first = await login();
    const second = await refresh(first);
    kinora.advance(repeatMs - 1000);
    expect(await refresh(first, "kinora-cli/1", "198.51.100.7")).toBe(second);
    expect(await refresh(first)).toBe(second);
    const third = await refresh(second);
    expect(third).not.toBe(second);
    await ended(refresh(first));
    await ended(refresh(third));
  });

  it("may lose the second answer as well", async () => {
    const second = await refresh(await login());
    const third = await refresh(second);
    expect(await refresh(second)).toBe(third);
    await refresh(third);
  });

  it("finds nothing to repeat in a stolen database: what is in it doesn't give the token away", async () => {
    const first = await login();
    const second = await refresh(first);
    const { rows } = await kinora.database.pool.query("select t::text as row from refresh_tokens t");
    const dump = rows.map(({ row }) => row).join("\n");
    for (const token of [first, second]) {
      expect(dump).not.toContain(token);
      expect(dump).not.toContain(Buffer.from(token, "base64url").toString("hex"));
    }
    // Once the successor is used, nothing is left that it could be made from.
    await refresh(second);
    const { rows: salted } = await kinora.database.pool.query(
      "select count(*)::int as n from refresh_tokens where successor_salt is not null and token_hash = sha256($1)",
      [Buffer.from(first)],
    );
    expect(salted[0].n).toBe(0);
  });
});

describe("when the database goes away in the middle of a refresh", () => {
  it("nothing is half done: the same token works afterwards", async () => {
    const token = await login();
    const { pool } = kinora.database;
    const holder = await pool.connect();
    await holder.query("begin");
    await holder.query("select 1 from sessions for update");
    const call = faultOf(refresh(token));
    const waiting = "select pid from pg_stat_activity where wait_event_type = 'Lock'";
    let pids: { pid: number }[] = [];
    while (pids.length === 0) pids = (await pool.query(waiting)).rows;
    for (const { pid } of pids) await pool.query("select pg_terminate_backend($1)", [pid]);
    expect((await call).code).toBe("Unavailable");
    await holder.query("rollback");
    holder.release();
    await refresh(await refresh(token));
  });
});

it("10.4.8: a session that is always refreshed ends after ninety days", async () => {
  let token = await login();
  for (let passed = 0; passed < absoluteLifetimeMs; passed += absoluteLifetimeMs / 6) {
    token = await refresh(token);
    kinora.advance(absoluteLifetimeMs / 6);
  }
  await ended(refresh(token));
});
