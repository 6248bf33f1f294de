import type { Database } from "@kinora/database";
import { openTestDatabase } from "@kinora/database/testing";
import { waitUntil } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { userMigrations } from "../migrations.ts";
import { createStore, type Store } from "./store.ts";

const forever = new AbortController().signal;
let database: Database;
let store: Store;

beforeAll(async () => {
  database = await openTestDatabase("user", userMigrations);
  store = createStore(database);
});
afterAll(() => database?.close());

const running = (statement: string) =>
  database.pool
    .query("select pid from pg_stat_activity where state = 'active' and query = $1", [statement])
    .then(({ rows }) => rows.map(({ pid }) => Number(pid)));

describe("a statement", () => {
  it("answers with its rows", async () => {
    expect(await store.on(forever).query("select $1::int + 1 as sum", [41])).toEqual([{ sum: 42 }]);
  });

  it("is given up when the signal aborts, without harm to the next", async () => {
    const controller = new AbortController();
    const slow = store.on(controller.signal).query("select pg_sleep(30)");
    await waitUntil("the statement runs", async () => (await running("select pg_sleep(30)")).length > 0);
    controller.abort(new Error("gone"));
    await expect(slow).rejects.toThrow("gone");
    await expect(store.on(controller.signal).query("select 1")).rejects.toThrow("gone");
    expect(await store.on(forever).query("select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("leaves its connection usable when Postgres refuses it", async () => {
    for (let time = 0; time < 15; time++) {
      await expect(store.on(forever).query("select 1/0")).rejects.toMatchObject({ code: "22012" });
    }
    expect(database.pool.totalCount).toBeLessThanOrEqual(10);
    expect(database.pool.idleCount).toBe(database.pool.totalCount);
  });

  it("that waits for a connection is given up, too", async () => {
    const held = await Promise.all(Array.from({ length: 10 }, () => database.pool.connect()));
    const controller = new AbortController();
    const waiting = store.on(controller.signal).query("select 1");
    controller.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    for (const client of held) client.release();
    expect(await store.on(forever).query("select 1 as one")).toEqual([{ one: 1 }]);
  });
});

describe("a transaction", () => {
  const count = async () =>
    (await store.on(forever).query<{ n: number }>("select count(*)::int as n from deleted_users"))[0]?.n;
  const add = "insert into deleted_users values (gen_random_uuid(), now())";

  it("happens whole or not at all", async () => {
    await store.transaction(forever, (tx) => tx.query(add));
    expect(await count()).toBe(1);
    const failing = store.transaction(forever, async (tx) => {
      await tx.query(add);
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await count()).toBe(1);
  });

  it("is rolled back when the signal aborts", async () => {
    const controller = new AbortController();
    const slow = store.transaction(controller.signal, async (tx) => {
      await tx.query(add);
      controller.abort(new Error("gone"));
      await tx.query(add);
    });
    await expect(slow).rejects.toThrow("gone");
    expect(await count()).toBe(1);
  });

  it("whose connection ends is `unavailable`, in a statement and between two, and the process lives", async () => {
    const inStatement = store.transaction(forever, (tx) => tx.query("select pg_sleep(29)"));
    const [pid] = await waitUntil("the statement runs", async () => {
      const pids = await running("select pg_sleep(29)");
      return pids.length > 0 && pids;
    });
    const failed = expect(inStatement).rejects.toMatchObject({ reason: "unavailable", retryAfterSeconds: 1 });
    await store.on(forever).query("select pg_terminate_backend($1)", [pid]);
    await failed;

    const between = store.transaction(forever, async (tx) => {
      const [own] = await tx.query<{ pid: number }>("select pg_backend_pid() as pid");
      await store.on(forever).query("select pg_terminate_backend($1, 5000)", [own?.pid]);
      await new Promise((resolve) => setTimeout(resolve, 50)); // the socket's end arrives while nobody asks anything
      await tx.query("select 1");
    });
    await expect(between).rejects.toMatchObject({ reason: "unavailable" });
    expect(await store.on(forever).query("select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("that meets another in a deadlock is `aborted`", async () => {
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    const lock = (id: number) => ["select pg_advisory_xact_lock($1)", [id]] as const;
    const results = await Promise.allSettled([
      store.transaction(forever, async (tx) => {
        await tx.query(...lock(1));
        first.resolve();
        await second.promise;
        await tx.query(...lock(2));
      }),
      store.transaction(forever, async (tx) => {
        await tx.query(...lock(2));
        second.resolve();
        await first.promise;
        await tx.query(...lock(1));
      }),
    ]);
    const reasons = results.map((result) => (result.status === "rejected" ? result.reason.reason : "done"));
    expect(reasons.toSorted()).toEqual(["aborted", "done"]);
  });
});

it("keeps the ledger as it was written", async () => {
  const sql = store.on(forever);
  await sql.query(
    "insert into usage_ledger (user_id, reservation_id, milliseconds, record_time) values (gen_random_uuid(), gen_random_uuid(), 1, now())",
  );
  for (const change of [
    "update usage_ledger set milliseconds = 0",
    "delete from usage_ledger",
    "truncate usage_ledger",
  ]) {
    await expect(sql.query(change)).rejects.toThrow("append-only");
  }
});
