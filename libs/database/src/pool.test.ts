import { afterAll, beforeAll, expect, it } from "vitest";
import type { Database } from "./database.ts";
import { createPool, withSession } from "./pool.ts";
import { openTestDatabase } from "./testing/index.ts";

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase("user", [{ name: "0001_fruit", sql: "CREATE TABLE fruit (name text)" }]);
});
afterAll(() => database.close());

it("finds the service's tables without a prefix and limits what a query may take", async () => {
  const { rows } = await database.pool.query(
    "SELECT current_schemas(false)::text AS schemas, to_regclass('fruit')::text AS fruit, current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock, current_setting('idle_in_transaction_session_timeout') AS idle",
  );
  expect(rows).toEqual([{ schemas: "{user}", fruit: "fruit", statement: "30s", lock: "10s", idle: "1min" }]);
});

it("keeps the options that a connection string brings", () => {
  const limits = { statementMs: 1, lockMs: 2, idleInTransactionMs: 3 };
  const url = new URL(withSession("postgres://db/video?options=-c%20work_mem%3D8MB&sslmode=require", "user", limits));
  expect(url.searchParams.get("options")).toBe(
    "-c work_mem=8MB -c search_path=user -c statement_timeout=1 -c lock_timeout=2 -c idle_in_transaction_session_timeout=3",
  );
  expect(url.searchParams.get("sslmode")).toBe("require");
});

it("outlives connections that break while they are idle", async () => {
  const warnings: string[] = [];
  const logger = { info() {}, error() {}, warn: (_: object, message: string) => void warnings.push(message) };
  const pool = createPool(database.url, "user", logger);
  const { rows } = await pool.query("SELECT pg_backend_pid() AS pid");
  await database.pool.query("SELECT pg_terminate_backend($1, 5000)", [rows[0]?.pid]);
  while (warnings.length === 0) await new Promise(setImmediate);
  expect(warnings).toEqual(["a database connection broke"]);
  expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  await pool.end();
});
