import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit } from "../housekeeping.ts";
import { createStore } from "../store/store.ts";
import {
  faultOf,
  memoryLogger,
  type ServiceUnderTest,
  serviceToken,
  startServiceUnderTest,
} from "../testing/service-under-test.ts";
import { findImbalances } from "./quota.store.ts";

let kinora: ServiceUnderTest;
beforeAll(async () => {
  kinora = await startServiceUnderTest({ quotaMinutes: 1000 });
});
afterAll(() => kinora?.close());

const signal = AbortSignal.timeout(300_000);
const entries = async (userId: string) =>
  (
    await kinora.database.pool.query(
      `select kind, reserved_milliseconds::int as reserved, used_milliseconds::int as used from quota_ledger where user_id = $1 order by id`,
      [userId],
    )
  ).rows;

describe("the ledger", () => {
  it("has an entry for what is set aside, used and given back, once each however often it is said", async () => {
    const { id: userId } = await kinora.join("Ada");
    const { quotas } = kinora.as(serviceToken);
    const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
    for (let time = 0; time < 2; time++) await quotas.reserveQuota({ reservationId: first, userId, seconds: 60 });
    for (let time = 0; time < 2; time++) await quotas.settleQuota({ reservationId: first, seconds: 58.5 });
    await quotas.reserveQuota({ reservationId: second, userId, seconds: 10 });
    for (let time = 0; time < 2; time++) await quotas.releaseQuota({ reservationId: second });
    expect(await entries(userId)).toEqual([
      { kind: "reserved", reserved: 60_000, used: 0 },
      { kind: "settled", reserved: -60_000, used: 58_500 },
      { kind: "reserved", reserved: 10_000, used: 0 },
      { kind: "released", reserved: -10_000, used: 0 },
    ]);
  });

  it("adds up to what GetQuota says, whatever is asked in whatever order", async () => {
    const { quotas } = kinora.as(serviceToken);
    const step = fc.record({
      call: fc.constantFrom("reserve", "settle", "release"),
      which: fc.integer({ min: 0, max: 3 }),
      seconds: fc.integer({ min: 0, max: 500 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const userId = (await kinora.join("Bob")).id;
        const ids = Array.from({ length: 4 }, () => crypto.randomUUID());
        for (const { call, which, seconds } of steps) {
          const reservationId = ids[which] ?? "";
          const calls = {
            reserve: () => quotas.reserveQuota({ reservationId, userId, seconds }),
            settle: () => quotas.settleQuota({ reservationId, seconds }),
            release: () => quotas.releaseQuota({ reservationId }),
          };
          await calls[call as keyof typeof calls]().catch(() => {});
        }
        const rows = await entries(userId);
        const sum = (of: (row: { reserved: number; used: number }) => number) =>
          rows.reduce((all, row) => all + of(row), 0);
        const { usedSeconds, reservedSeconds } = await quotas.getQuota({ userId });
        expect([sum(({ reserved }) => reserved), sum(({ used }) => used)]).toEqual([
          reservedSeconds * 1000,
          usedSeconds * 1000,
        ]);
      }),
      { numRuns: 15 },
    );
    expect(await findImbalances(createStore(kinora.database).on(signal), new Date(0))).toEqual([]);
  });

  it.each(["update quota_ledger set used_milliseconds = 0", "delete from quota_ledger", "truncate quota_ledger"])(
    "refuses %s",
    async (statement) => {
      await expect(kinora.database.pool.query(statement)).rejects.toThrow("table quota_ledger is append-only");
    },
  );

  it("tells the log when somebody changed a reservation's account by hand", async () => {
    const { id: userId } = await kinora.join("Carol");
    const reservationId = crypto.randomUUID();
    await kinora.as(serviceToken).quotas.reserveQuota({ reservationId, userId, seconds: 60 });
    const { pool } = kinora.database;
    await pool.query("alter table quota_reservations disable trigger enter_reservation");
    await pool.query("update quota_reservations set milliseconds = 1 where id = $1", [reservationId]);
    await pool.query("alter table quota_reservations enable trigger enter_reservation");
    const { logger, lines } = memoryLogger();
    await audit({ store: createStore(kinora.database), logger }, signal, kinora.now());
    expect(lines.length).toBe(1);
    expect(lines[0]).toContain("doesn't add up");
    expect(lines[0]).toContain(userId);
  });

  it("outlives the account", async () => {
    const dan = await kinora.join("Dan");
    const reservationId = crypto.randomUUID();
    await kinora.as(serviceToken).quotas.reserveQuota({ reservationId, userId: dan.id, seconds: 60 });
    await kinora.as(dan.accessToken).users.deleteUser({ id: dan.id });
    await kinora.as(serviceToken).quotas.settleQuota({ reservationId, seconds: 60 });
    expect((await entries(dan.id)).length).toBe(2);
    expect((await faultOf(kinora.as(serviceToken).quotas.getQuota({ userId: dan.id }))).code).toBe("NotFound");
  });
});
