import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Database } from "@kinora/database";
import { openTestDatabase } from "@kinora/database/testing";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { userMigrations } from "../migrations.ts";
import { createStore } from "../store/store.ts";
import { memoryLogger, testPasswordHasher } from "../testing/service-under-test.ts";
import { ensureLocalOwner } from "./local-owner.ts";

const signal = new AbortController().signal;
const passwords = testPasswordHasher();
let database: Database;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  database = await openTestDatabase("user", userMigrations);
});
afterAll(() => database?.close());
beforeEach(async () => {
  await database.pool.query("delete from users");
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const { logger, lines } = memoryLogger();
const ensure = (dataDir = folder.path) =>
  ensureLocalOwner({ store: createStore(database), passwords, logger, dataDir, now: () => new Date() }, signal);
const file = () => join(folder.path, "credentials", "owner.json");
const credential = async () => JSON.parse(await readFile(file(), "utf8"));
const owners = async () =>
  (await database.pool.query("select email, password_hash from users where role = 'owner'")).rows;
const fits = async (password: string) => passwords.verify((await owners())[0]?.password_hash, password, signal);

it("leaves a credential that fits, readable by its owner alone, and keeps it out of the log", async () => {
  await ensure();
  const { email, password } = await credential();
  expect(email).toBe("owner@localhost");
  expect(password.length).toBeGreaterThanOrEqual(32);
  expect(await fits(password)).toBe(true);
  expect((await stat(file())).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder.path, "credentials"))).mode & 0o777).toBe(0o700);
  expect(lines.join("\n")).not.toContain(password);
});

it("makes one owner, however many processes start, and leaves everything alone afterwards", async () => {
  await Promise.all([ensure(), ensure(), ensure()]);
  expect((await owners()).length).toBe(1);
  const before = await credential();
  expect(await fits(before.password)).toBe(true);
  await ensure();
  expect(await credential()).toEqual(before);
});

it("only says so when the file is missing", async () => {
  await ensure();
  await rm(file());
  await ensure();
  await expect(stat(file())).rejects.toThrow("ENOENT");
  expect(lines.at(-1)).toContain("log in as the owner");
});

it("makes no owner where the credential can't be written", async () => {
  await using locked = await temporaryFolder();
  const blocked = join(locked.path, "file");
  await writeFile(blocked, "not a folder");
  await expect(ensure(blocked)).rejects.toThrow("ENOTDIR");
  expect(await owners()).toEqual([]);
});

it("replaces a credential whose account was never committed", async () => {
  // As after a crash between the file and the commit: the file is there, the account isn't.
  await database.pool.query(`
    create function fail() returns trigger language plpgsql as $$ begin raise exception 'crash'; end $$;
    create constraint trigger at_commit after insert on users deferrable initially deferred
      for each row execute function fail()`);
  await expect(ensure()).rejects.toThrow("crash");
  const stale = await credential();
  expect(await owners()).toEqual([]);
  await database.pool.query("drop trigger at_commit on users");
  await ensure();
  const { password } = await credential();
  expect(password).not.toBe(stale.password);
  expect(await fits(password)).toBe(true);
});
