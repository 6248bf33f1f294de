import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../database.ts";
import { DatabaseError } from "../database-error.ts";
import { openTestDatabase } from "../testing/index.ts";
import { migrate } from "./migrate.ts";
import type { Migration } from "./migration.ts";

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase("first", []);
});
afterAll(() => database.close());

const logged: { message: string; fields: object }[] = [];
const logger = {
  info: () => {},
  warn: (fields: object, message: string) => void logged.push({ fields, message }),
  error: () => {},
};

function run(schema: string, migrations: Migration[], more: { signal?: AbortSignal; lockMs?: number } = {}) {
  return migrate({ url: database.url, schema, migrations, logger, ...more });
}

async function column(sql: string): Promise<unknown[]> {
  return (await database.pool.query({ text: sql, rowMode: "array" })).rows.map(([value]) => value);
}

const table: Migration = {
  name: "0001_fruit",
  sql: "CREATE TABLE fruit (name text); INSERT INTO fruit VALUES ('pear')",
};

describe("migrate", () => {
  it("keeps services apart by a schema of their own, even one named by a reserved word", async () => {
    await run("user", [table]);
    await run("encoder", [table]);
    expect(await column('SELECT name FROM "user".fruit UNION ALL SELECT name FROM encoder.fruit')).toEqual([
      "pear",
      "pear",
    ]);
  });

  it("runs each migration once, in order, when many replicas start together", async () => {
    const migrations = [
      { name: "0001_log", sql: "CREATE TABLE log (id serial, name text)" },
      ...["0002_a", "0003_b", "0004_c"].map((name) => ({
        name,
        sql: `INSERT INTO log (name) VALUES ('${name}'); SELECT pg_sleep(0.05)`,
      })),
    ];
    await Promise.all(Array.from({ length: 6 }, () => run("replicas", migrations)));
    expect(await column("SELECT name FROM replicas.log ORDER BY id")).toEqual(["0002_a", "0003_b", "0004_c"]);
    expect(await column("SELECT name FROM replicas.schema_migration ORDER BY applied_at")).toEqual(
      migrations.map(({ name }) => name),
    );
  });

  it("keeps nothing of a migration that fails, and goes on from there when it is mended", async () => {
    const broken = { name: "0002_more", sql: "CREATE TABLE more (id integer); INSERT INTO nowhere VALUES (1)" };
    const failing = run("broken", [table, broken]);
    await expect(failing).rejects.toBeInstanceOf(DatabaseError);
    await expect(failing).rejects.toThrow(
      'Migration 0002_more failed: relation "nowhere" does not exist. Nothing of it was kept.',
    );
    expect(await column("SELECT name FROM broken.schema_migration")).toEqual(["0001_fruit"]);
    expect(await column("SELECT to_regclass('broken.more')")).toEqual([null]);

    await run("broken", [table, { name: "0002_more", sql: "CREATE TABLE more (id integer)" }]);
    expect(await column("SELECT name FROM broken.schema_migration ORDER BY name")).toEqual(["0001_fruit", "0002_more"]);
  });

  it("refuses a migration that was changed", async () => {
    await run("changed", [table]);
    await expect(run("changed", [{ ...table, sql: "CREATE TABLE fruit (name text)" }])).rejects.toThrow(
      /^Migration 0001_fruit was changed after it had run/,
    );
  });

  it("goes on beside a newer version, and says so once", async () => {
    await run("newer", [table, { name: "0002_new", sql: "CREATE TABLE new (id integer)" }]);
    logged.length = 0;
    await run("newer", [table]);
    expect(logged).toEqual([
      {
        message: "a newer version has migrated this database; going on",
        fields: { schema: "newer", migrations: ["0002_new"] },
      },
    ]);
  });

  it("ends at once when it is given up, and keeps nothing of what was running", async () => {
    const stop = new AbortController();
    const migrating = run("given_up", [{ name: "0001_slow", sql: "CREATE TABLE t (); SELECT pg_sleep(600)" }], {
      signal: stop.signal,
    });
    const asleep =
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'kinora-given_up-migrations' AND wait_event = 'PgSleep'";
    while ((await column(asleep)).length === 0) await sleep(10);
    stop.abort(new Error("given up"));
    await expect(migrating).rejects.toThrow("given up");
    while ((await column(asleep)).length > 0) await sleep(10);
    expect(await column("SELECT to_regclass('given_up.t')")).toEqual([null]);
  });

  it("doesn't wait for another for ever", async () => {
    await run("locked", [table]);
    const client = await database.pool.connect();
    try {
      await client.query("BEGIN; LOCK TABLE locked.schema_migration IN ACCESS EXCLUSIVE MODE");
      await expect(run("locked", [table], { lockMs: 50 })).rejects.toThrow(
        /^The tables of "locked" could not be migrated: something else has kept them locked for 0.05 s\./,
      );
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
  });
});
