import type { Database } from "@kinora/database";
import { openTestDatabase } from "@kinora/database/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrations } from "../migrations.ts";
import { createUploadLocker } from "./upload-lock.ts";

const never = new AbortController().signal;
const nothing = () => {};
const id = () => crypto.randomUUID();

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase("encoder", migrations);
});
afterAll(() => database?.close());

/** Two replicas know of each other only by the database. */
const locker = (timeoutMs: number) => createUploadLocker(database.pool, timeoutMs);

it.each(["in the same process", "in another replica"])(
  "gives an upload to one request at a time, and asks the holder %s to let go",
  async (where) => {
    const here = locker(10_000);
    const there = where === "in another replica" ? locker(10_000) : here;
    const [a, b] = [id(), id()];
    const [first, second, other] = [here.newLock(a), there.newLock(a), there.newLock(b)];
    const events: string[] = [];
    const asked = Promise.withResolvers<void>();
    await first.lock(never, () => {
      events.push("asked");
      asked.resolve();
    });
    await other.lock(never, nothing);
    const waiting = second.lock(never, nothing).then(() => events.push("second"));
    await asked.promise;
    events.push("released");
    await first.unlock();
    await waiting;
    expect(events.filter((event, index) => event !== events[index - 1])).toEqual(["asked", "released", "second"]);
    await Promise.all([second.unlock(), other.unlock()]);
    const { rows } = await database.pool.query("SELECT FROM upload_locks");
    expect(rows).toEqual([]);
  },
);

it("gives it to all who wait, one after the other", async () => {
  const a = id();
  let holders = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const lock = locker(30_000).newLock(a);
      await lock.lock(never, nothing);
      holders += 1;
      expect(holders).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      holders -= 1;
      await lock.unlock();
    }),
  );
});

it("refuses whoever has waited too long or is gone, and is free after that", async () => {
  const a = id();
  const first = locker(20).newLock(a);
  await first.lock(never, nothing);
  const locked = { status_code: 423 };
  await expect(locker(20).newLock(a).lock(never, nothing)).rejects.toMatchObject(locked);
  await expect(locker(20).newLock(a).lock(AbortSignal.abort(), nothing)).rejects.toMatchObject(locked);
  await first.unlock();
  const next = locker(20).newLock(a);
  await next.lock(never, nothing);
  await next.unlock();
});

it("takes over from a process that died, and lets one that was only asleep know", async () => {
  const a = id();
  const told = Promise.withResolvers<void>();
  const asleep = locker(1_000).newLock(a);
  await asleep.lock(never, () => told.resolve());
  await database.pool.query("UPDATE upload_locks SET expires_at = now() - interval '1 second'");
  const next = locker(1_000).newLock(a);
  await next.lock(never, nothing);
  await told.promise;
  await asleep.unlock();
  await expect(locker(20).newLock(a).lock(never, nothing)).rejects.toMatchObject({ status_code: 423 });
  await next.unlock();
});
