import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStore } from "../store/store.ts";
import {
  faultOf,
  type Person,
  type ServiceUnderTest,
  serviceToken,
  startServiceUnderTest,
} from "../testing/service-under-test.ts";
import { findStorageImbalances } from "./storage.store.ts";
import { noRoomSentence, roomLifetimeMs } from "./storage.ts";

const megabyte = 1_000_000;
let kinora: ServiceUnderTest;
let owner: Person;
beforeAll(async () => {
  kinora = await startServiceUnderTest({ quotaStorageBytes: 100 * megabyte });
  owner = await kinora.owner();
});
afterAll(() => kinora?.close());

const quotas = () => kinora.as(serviceToken).quotas;
const reserve = (userId: string, itemId: string, bytes: number) =>
  quotas().reserveStorage({ itemId, userId, bytes: BigInt(bytes) });
const record = (userId: string, itemId: string, bytes: number | undefined) =>
  quotas().recordStorage({ changes: [{ itemId, userId, ...(bytes !== undefined && { bytes: BigInt(bytes) }) }] });
const stateOf = async (userId: string) => {
  const quota = await quotas().getQuota({ userId });
  return {
    limit: Number(quota.limitStorageBytes),
    used: Number(quota.usedStorageBytes),
    reserved: Number(quota.reservedStorageBytes),
  };
};
const entries = async (userId: string) =>
  (
    await kinora.database.pool.query(
      "select kind, reserved_bytes::int as reserved, stored_bytes::int as stored from storage_ledger where user_id = $1 order by id",
      [userId],
    )
  ).rows;

describe("storage", () => {
  it("is set aside, then used as far as it really is, then free again, each once however often it is said", async () => {
    const { id } = await kinora.join();
    const item = randomUUID();
    for (let time = 0; time < 2; time++) await reserve(id, item, 40 * megabyte);
    expect(await stateOf(id)).toEqual({ limit: 100 * megabyte, used: 0, reserved: 40 * megabyte });
    for (let time = 0; time < 2; time++) await record(id, item, 30 * megabyte);
    expect(await stateOf(id)).toEqual({ limit: 100 * megabyte, used: 30 * megabyte, reserved: 0 });
    for (let time = 0; time < 2; time++) await record(id, item, undefined);
    expect(await stateOf(id)).toEqual({ limit: 100 * megabyte, used: 0, reserved: 0 });
    expect(await entries(id)).toEqual([
      { kind: "reserved", reserved: 40 * megabyte, stored: 0 },
      { kind: "stored", reserved: -40 * megabyte, stored: 30 * megabyte },
      { kind: "released", reserved: 0, stored: -30 * megabyte },
    ]);
    await expect(kinora.database.pool.query("update storage_ledger set stored_bytes = 0")).rejects.toThrow(
      "append-only",
    );
  });

  it("that isn't there is refused with figures and what to do; what is stored already counts, whatever the limit", async () => {
    const { id } = await kinora.join();
    await record(id, randomUUID(), 90 * megabyte);
    expect(await faultOf(reserve(id, randomUUID(), 20 * megabyte))).toMatchObject({
      code: "ResourceExhausted",
      message:
        "This needs 20 MB of your storage, but 10 MB of 100 MB are free (90 MB used). Delete videos or encodes that you don't need, or ask an administrator for more.",
    });
    await record(id, randomUUID(), 90 * megabyte);
    expect((await stateOf(id)).used).toBe(180 * megabyte);
    expect((await faultOf(reserve(id, randomUUID(), 1))).message).toContain("0 MB of 100 MB are free");
  });

  it("set aside grows with what is needed, and lapses", async () => {
    const { id } = await kinora.join();
    const item = randomUUID();
    await reserve(id, item, 60 * megabyte);
    await reserve(id, item, 90 * megabyte);
    await reserve(id, item, 10 * megabyte);
    expect((await stateOf(id)).reserved).toBe(90 * megabyte);
    expect((await faultOf(reserve(id, item, 101 * megabyte))).code).toBe("ResourceExhausted");
    kinora.advance(roomLifetimeMs + 1000);
    expect((await stateOf(id)).reserved).toBe(0);
    await reserve(id, randomUUID(), 100 * megabyte);
  });

  it("of one account isn't another's to reserve or change", async () => {
    const [ada, bob] = [await kinora.join("Ada"), await kinora.join("Bob")];
    const item = randomUUID();
    await reserve(ada.id, item, megabyte);
    expect((await faultOf(reserve(bob.id, item, megabyte))).code).toBe("FailedPrecondition");
    await record(bob.id, item, undefined);
    expect((await stateOf(ada.id)).reserved).toBe(megabyte);
    expect((await faultOf(reserve(randomUUID(), randomUUID(), 1))).code).toBe("NotFound");
  });

  it("adds up, whatever is said in whatever order; what is gone stays gone", async () => {
    const step = fc.record({
      call: fc.constantFrom("reserve", "store", "release"),
      which: fc.integer({ min: 0, max: 2 }),
      bytes: fc.integer({ min: 0, max: 60 * megabyte }),
    });
    const signal = AbortSignal.timeout(120_000);
    const { id } = await kinora.join("Eve");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
        const ids = Array.from({ length: 3 }, () => randomUUID());
        const gone = new Set<string>();
        for (const { call, which, bytes } of steps) {
          const item = ids[which] ?? "";
          if (call === "reserve") await reserve(id, item, bytes).catch(() => {});
          else await record(id, item, call === "store" ? bytes : undefined);
          if (call === "release") gone.add(item);
        }
        const { rows } = await kinora.database.pool.query("select id, state from storage_items where id = any($1)", [
          ids,
        ]);
        for (const row of rows) if (gone.has(row.id)) expect(row.state).toBe("released");
        expect(await findStorageImbalances(createStore(kinora.database).on(signal), new Date(0))).toEqual([]);
        for (const item of ids) await record(id, item, undefined);
        expect(await stateOf(id)).toMatchObject({ used: 0, reserved: 0 });
      }),
      { numRuns: 25 },
    );
  });

  it("many at the same moment get no more than there is", async () => {
    const { id } = await kinora.join();
    const calls = await Promise.allSettled(Array.from({ length: 10 }, () => reserve(id, randomUUID(), 30 * megabyte)));
    expect(calls.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  });
});

describe("limits of one account", () => {
  beforeAll(async () => {
    owner = await kinora.owner(); // hours have passed
  });
  type Change = { limitSeconds?: number; limitStorageBytes?: bigint; updateMask?: { paths: string[] } };
  const set = (token: string, userId: string, change: Change) =>
    kinora.as(token).quotas.setQuotaLimits({ userId, ...change });

  it("hold in place of the installation's, until they are taken away", async () => {
    const { id } = await kinora.join();
    const { quota } = await set(owner.accessToken, id, { limitSeconds: 60, limitStorageBytes: BigInt(megabyte) });
    expect(quota).toMatchObject({ limitSeconds: 60, limitStorageBytes: BigInt(megabyte) });
    expect((await faultOf(reserve(id, randomUUID(), 2 * megabyte))).code).toBe("ResourceExhausted");
    const call = quotas().reserveQuota({ reservationId: randomUUID(), userId: id, seconds: 61 });
    expect((await faultOf(call)).code).toBe("ResourceExhausted");
    const updateMask = { paths: ["limit_storage_bytes"] };
    const changed = await set(owner.accessToken, id, { limitStorageBytes: 0n, updateMask });
    expect(changed.quota).toMatchObject({ limitSeconds: 60, limitStorageBytes: 0n });
    await reserve(id, randomUUID(), 1e12);
    expect((await faultOf(set(owner.accessToken, id, { updateMask: { paths: ["limits"] } }))).code).toBe(
      "InvalidArgument",
    );
    expect((await set(owner.accessToken, id, {})).quota?.limitStorageBytes).toBe(BigInt(100 * megabyte));
    const { rows } = await kinora.database.pool.query(
      "select details from audit_events where type = 'quota.limits_changed' and user_id = $1 order by id",
      [id],
    );
    expect(rows.map(({ details }) => details.storageBytes)).toEqual(["1000000", "0", "default"]);
  });

  it("are for those above to give, and nobody's but an owner's own", async () => {
    const [ada, max] = [await kinora.join("Ada"), await kinora.join("Max")];
    await kinora.database.pool.query("update users set role = 'admin' where id = $1", [max.id]);
    const admin = await kinora.login(max.email, max.password);
    expect((await faultOf(set(ada.accessToken, ada.id, {}))).code).toBe("PermissionDenied");
    await set(admin.accessToken, ada.id, { limitSeconds: 1 });
    expect((await faultOf(set(admin.accessToken, owner.id, {}))).code).toBe("PermissionDenied");
    expect((await faultOf(set(admin.accessToken, admin.id, { limitSeconds: 0 }))).code).toBe("PermissionDenied");
    expect((await faultOf(set(owner.accessToken, randomUUID(), {}))).code).toBe("NotFound");
    const { serviceAccount } = await kinora.as(admin.accessToken).keys.createServiceAccount({ name: "site", kind: 1 });
    await set(admin.accessToken, serviceAccount?.id ?? "", { limitStorageBytes: 5n });
    // They go with the account.
    await kinora.as(admin.accessToken).keys.deleteServiceAccount({ id: serviceAccount?.id ?? "" });
    await kinora.as(owner.accessToken).users.deleteUser({ id: ada.id });
    const { rows } = await kinora.database.pool.query("select 1 from quota_limits where user_id = any($1)", [
      [ada.id, serviceAccount?.id],
    ]);
    expect(rows).toEqual([]);
  });
});

it("figures are rounded so that the sentence adds up", () => {
  expect(noRoomSentence({ limitBytes: 10e9, storedBytes: 8.44e9, reservedBytes: 5e8 }, 2.31e9)).toBe(
    "This needs 2.4 GB of your storage, but 1 GB of 10 GB are free (8.5 GB used, and 500 MB set aside for what is under way). " +
      "Delete videos or encodes that you don't need, or ask an administrator for more.",
  );
});
