import { expect, it } from "vitest";
import { createUploadLocker } from "./upload-lock.ts";

const never = new AbortController().signal;
const nothing = () => {};

it("gives an upload to one request at a time, and asks the holder to let go", async () => {
  const locker = createUploadLocker(10_000);
  const [first, second, other] = [locker.newLock("a"), locker.newLock("a"), locker.newLock("b")];
  const events: string[] = [];
  await first.lock(never, () => void events.push("asked"));
  await other.lock(never, nothing);
  const waiting = second.lock(never, nothing).then(() => events.push("second"));
  await Promise.resolve();
  expect(events).toEqual(["asked"]);
  events.push("released");
  await first.unlock();
  await waiting;
  expect(events).toEqual(["asked", "released", "second"]);
});

it("gives it to all who wait, one after the other", async () => {
  const locker = createUploadLocker(10_000);
  let holders = 0;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const lock = locker.newLock("a");
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
  const locker = createUploadLocker(20);
  const first = locker.newLock("a");
  await first.lock(never, nothing);
  const locked = { status_code: 423 };
  await expect(locker.newLock("a").lock(never, nothing)).rejects.toMatchObject(locked);
  await expect(locker.newLock("a").lock(AbortSignal.abort(), nothing)).rejects.toMatchObject(locked);
  await first.unlock();
  await locker.newLock("a").lock(never, nothing);
});
