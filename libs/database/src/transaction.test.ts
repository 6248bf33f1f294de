import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Database } from "./database.ts";
import { openTestDatabase } from "./testing/index.ts";
import { inTransaction } from "./transaction.ts";

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase("shop", [{ name: "0001_fruit", sql: "CREATE TABLE fruit (name text UNIQUE)" }]);
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query("TRUNCATE fruit");
});

const insert = "INSERT INTO fruit VALUES ($1)";
const fruit = async () =>
  (await database.pool.query("SELECT name FROM fruit ORDER BY name")).rows.map(({ name }) => name);

it("commits, and returns what the work returned", async () => {
  const result = await inTransaction(database.pool, undefined, async (client) => {
    await client.query(insert, ["pear"]);
    expect(await fruit()).toEqual([]);
    return 7;
  });
  expect(result).toBe(7);
  expect(await fruit()).toEqual(["pear"]);
});

it("rolls back when the work throws, and throws the same", async () => {
  const mistake = new Error("no");
  const failing = inTransaction(database.pool, undefined, async (client) => {
    await client.query(insert, ["pear"]);
    throw mistake;
  });
  await expect(failing).rejects.toBe(mistake);
  expect(await fruit()).toEqual([]);
});

it("gives every connection back, whatever happens", async () => {
  for (let round = 0; round < 30; round++) {
    const stop = new AbortController();
    const working = inTransaction(database.pool, stop.signal, async (client) => {
      await client.query(insert, ["pear"]);
      if (round % 3 === 0) stop.abort(new Error("stop"));
      await client.query(insert, ["pear"]);
    });
    await expect(working).rejects.toThrow(round % 3 === 0 ? "stop" : "duplicate key");
  }
  expect(database.pool.waitingCount).toBe(0);
  expect(database.pool.idleCount).toBe(database.pool.totalCount);
  expect(await fruit()).toEqual([]);
});

it("stops a query that is running when the signal aborts, and the server stops it too", async () => {
  const stop = new AbortController();
  const working = inTransaction(database.pool, stop.signal, async (client) => {
    await client.query(insert, ["pear"]);
    await client.query("SELECT pg_sleep(25)");
  });
  const asleep = async () =>
    (await database.pool.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).rowCount ?? 0;
  while ((await asleep()) === 0) await sleep(10);
  stop.abort(new Error("stop"));
  await expect(working).rejects.toThrow("stop");
  while ((await asleep()) > 0) await sleep(10);
  expect(await fruit()).toEqual([]);
});

it("doesn't wait for a connection when the signal aborts", async () => {
  const clients = await Promise.all(Array.from({ length: 10 }, () => database.pool.connect()));
  const stop = new AbortController();
  const working = inTransaction(database.pool, stop.signal, async () => {
    throw new Error("not reached");
  });
  stop.abort(new Error("stop"));
  await expect(working).rejects.toThrow("stop");
  for (const client of clients) client.release();
  await fruit();
  expect(database.pool.idleCount).toBe(database.pool.totalCount);
});

it("does nothing when the signal has aborted before", async () => {
  await expect(
    inTransaction(database.pool, AbortSignal.abort(new Error("stop")), async (client) =>
      client.query(insert, ["pear"]),
    ),
  ).rejects.toThrow("stop");
  expect(await fruit()).toEqual([]);
});
