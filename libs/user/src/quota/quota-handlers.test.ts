import { randomUUID } from "node:crypto";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  faultOf,
  type Person,
  type ServiceUnderTest,
  serviceToken,
  startServiceUnderTest,
} from "../testing/service-under-test.ts";
import { nextMonthStart, reservationLifetimeMs } from "./quota.ts";

let kinora: ServiceUnderTest;
let owner: Person;

beforeAll(async () => {
  kinora = await startServiceUnderTest({ quotaMinutes: 60 });
  owner = await kinora.owner();
  // Two days into a month, so that no test meets the end of one unless it wants to.
  kinora.advance(nextMonthStart(kinora.now()).getTime() + 2 * 86_400_000 - kinora.now().getTime());
});
afterAll(() => kinora?.close());

const quotas = () => kinora.as(serviceToken).quotas;
const reserve = (userId: string, seconds: number, reservationId: string = randomUUID()) =>
  quotas().reserveQuota({ reservationId, userId, seconds });
const stateOf = async (userId: string) => {
  const { limitSeconds, usedSeconds, reservedSeconds } = await quotas().getQuota({ userId });
  return { limitSeconds, usedSeconds, reservedSeconds };
};
const ledger = async (userId: string) =>
  (
    await kinora.database.pool.query(
      "select milliseconds::int as ms from usage_ledger where user_id = $1 order by id",
      [userId],
    )
  ).rows.map(({ ms }) => ms);

describe("a reservation", () => {
  it("is set aside, then used", async () => {
    const { id } = await kinora.join();
    const reservationId = randomUUID();
    const { expireTime } = await reserve(id, 600, reservationId);
    const lapses = expireTime && timestampDate(expireTime).getTime() - kinora.now().getTime();
    expect(Math.abs((lapses ?? 0) - reservationLifetimeMs)).toBeLessThan(60_000);
    expect(await stateOf(id)).toEqual({ limitSeconds: 3600, usedSeconds: 0, reservedSeconds: 600 });
    await quotas().settleQuota({ reservationId, seconds: 599.5 });
    expect(await stateOf(id)).toEqual({ limitSeconds: 3600, usedSeconds: 599.5, reservedSeconds: 0 });
    expect(await ledger(id)).toEqual([599_500]);
  });

  it("grows where the work is found to be longer, as far as there is quota, and counts once", async () => {
    const { id } = await kinora.join();
    const reservationId = randomUUID();
    await reserve(id, 2000, reservationId);
    await reserve(id, 3500, reservationId);
    expect((await stateOf(id)).reservedSeconds).toBe(3500);
    expect(await faultOf(reserve(id, 3601, reservationId))).toMatchObject({
      code: "ResourceExhausted",
      message: expect.stringContaining("60.1 minutes of your encoding quota, but 60 of 60 are left"),
    });
    await reserve(id, 10, reservationId);
    expect((await stateOf(id)).reservedSeconds).toBe(3500);
  });

  it("is given back", async () => {
    const { id } = await kinora.join();
    const reservationId = randomUUID();
    await reserve(id, 3600, reservationId);
    await quotas().releaseQuota({ reservationId });
    expect((await stateOf(id)).reservedSeconds).toBe(0);
    await reserve(id, 3600);
  });

  it("may be asked for, settled and given back as often as answers are lost", async () => {
    const { id } = await kinora.join();
    const [settled, released, unknown] = [randomUUID(), randomUUID(), randomUUID()];
    const first = await reserve(id, 100, settled);
    kinora.advance(1_000);
    expect(await reserve(id, 100, settled)).toEqual(first);
    await Promise.all([1, 2, 3].map(() => quotas().settleQuota({ reservationId: settled, seconds: 100 })));
    await reserve(id, 50, released);
    await Promise.all([1, 2, 3].map(() => quotas().releaseQuota({ reservationId: released })));
    await quotas().releaseQuota({ reservationId: unknown });
    expect(await stateOf(id)).toMatchObject({ usedSeconds: 100, reservedSeconds: 0 });
    expect(await ledger(id)).toEqual([100_000]);

    expect((await faultOf(reserve(id, 1, settled))).code).toBe("FailedPrecondition");
    expect((await faultOf(reserve(id, 1, released))).code).toBe("FailedPrecondition");
    expect((await faultOf(quotas().settleQuota({ reservationId: released, seconds: 1 }))).code).toBe(
      "FailedPrecondition",
    );
    expect((await faultOf(quotas().releaseQuota({ reservationId: settled }))).code).toBe("FailedPrecondition");
    expect((await faultOf(quotas().settleQuota({ reservationId: unknown, seconds: 1 }))).code).toBe("NotFound");
  });

  it("of one user isn't another's", async () => {
    const [one, other] = [await kinora.join(), await kinora.join()];
    const reservationId = randomUUID();
    const results = await Promise.allSettled([reserve(one.id, 1, reservationId), reserve(other.id, 1, reservationId)]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect((await stateOf(one.id)).reservedSeconds + (await stateOf(other.id)).reservedSeconds).toBe(1);
  });

  it("lapses after a day, can be renewed, and what was used counts all the same", async () => {
    const { id } = await kinora.join();
    const [kept, lapsed] = [randomUUID(), randomUUID()];
    await reserve(id, 1800, kept);
    await reserve(id, 1800, lapsed);
    expect((await faultOf(reserve(id, 1))).code).toBe("ResourceExhausted");
    kinora.advance(reservationLifetimeMs);
    expect((await stateOf(id)).reservedSeconds).toBe(0);
    await reserve(id, 1700, kept);
    await quotas().settleQuota({ reservationId: lapsed, seconds: 1800 });
    expect(await stateOf(id)).toMatchObject({ usedSeconds: 1800, reservedSeconds: 1700 });
  });

  it("can be settled after its user's account has gone", async () => {
    const gone = await kinora.join();
    const reservationId = randomUUID();
    await reserve(gone.id, 10, reservationId);
    await kinora.as(gone.accessToken).users.deleteUser({ id: gone.id });
    await quotas().settleQuota({ reservationId, seconds: 10 });
    expect(await ledger(gone.id)).toEqual([10_000]);
    expect((await faultOf(reserve(gone.id, 1))).code).toBe("NotFound");
    expect((await faultOf(stateOf(gone.id))).code).toBe("NotFound");
  });
});

describe("the limit", () => {
  it("is exact when many ask at the same moment", async () => {
    const { id } = await kinora.join();
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => reserve(id, 500)));
    expect(results.filter(({ status }) => status === "fulfilled").length).toBe(7); // 7 × 500 s ≤ 3600 s
    expect((await stateOf(id)).reservedSeconds).toBe(3500);
  });

  it("is told with the figures", async () => {
    const { id } = await kinora.join();
    const used = randomUUID();
    await reserve(id, 3000, used);
    await quotas().settleQuota({ reservationId: used, seconds: 3000 });
    await reserve(id, 450);
    const fault = await faultOf(reserve(id, 181));
    expect(fault).toMatchObject({ code: "ResourceExhausted", fields: [] });
    const reset = nextMonthStart(kinora.now()).toISOString().slice(0, 10);
    expect(fault.message).toBe(
      `This video needs 3.1 minutes of your encoding quota, but 2.5 of 60 are left this month (50 used and 7.5 set aside for encodes under way). The quota starts anew on ${reset}.`,
    );
    expect(Number(fault.retryAfter)).toBeGreaterThan(0);
    await reserve(id, 150);
  });

  it("starts anew with the month", async () => {
    const { id } = await kinora.join();
    const reservationId = randomUUID();
    await reserve(id, 3600, reservationId);
    await quotas().settleQuota({ reservationId, seconds: 4000 }); // more than reserved is on record, too
    expect((await faultOf(reserve(id, 0.1))).code).toBe("ResourceExhausted");
    kinora.advance(nextMonthStart(kinora.now()).getTime() - kinora.now().getTime());
    await reserve(id, 3600);
    kinora.advance(2 * 86_400_000);
  });

  it("isn't there when it is 0", async () => {
    const free = await startServiceUnderTest();
    try {
      const { id } = await free.join();
      await free.as(serviceToken).quotas.reserveQuota({ reservationId: randomUUID(), userId: id, seconds: 1e9 });
      expect(await free.as(serviceToken).quotas.getQuota({ userId: id })).toMatchObject({
        limitSeconds: 0,
        reservedSeconds: 1e9,
      });
    } finally {
      await free.close();
    }
  });

  it("holds whatever is reserved, settled and released in whatever order", async () => {
    const step = fc.record({
      what: fc.constantFrom("reserve", "settle", "release"),
      which: fc.integer({ min: 0, max: 3 }),
      seconds: fc.integer({ min: 0, max: 2000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const userId = randomUUID();
        await kinora.database.pool.query(
          "insert into users select $1, $2, $2, name, birth_date, password_hash, 'member', create_time, update_time from users where id = $3",
          [userId, `${userId}@example.com`, owner.id],
        );
        const ids = Array.from({ length: 4 }, () => randomUUID());
        const model = new Map<string, { seconds: number; state: string }>();
        const sum = (state: string) =>
          [...model.values()].filter((one) => one.state === state).reduce((total, { seconds }) => total + seconds, 0);
        for (const { what, which, seconds } of steps) {
          const reservationId = ids[which] ?? "";
          const found = model.get(reservationId);
          if (what === "reserve") {
            const outcome = await reserve(userId, seconds, reservationId).then(
              () => "fine",
              () => "refused",
            );
            const grows = found?.state === "reserved" && seconds > found.seconds;
            if (found === undefined || grows) {
              const fits = sum("settled") + sum("reserved") - (found?.seconds ?? 0) + seconds <= 3600;
              expect(outcome).toBe(fits ? "fine" : "refused");
              if (fits) model.set(reservationId, { seconds, state: "reserved" });
            } else {
              expect(outcome).toBe(found.state === "reserved" ? "fine" : "refused");
            }
          } else if (what === "settle") {
            const outcome = await quotas()
              .settleQuota({ reservationId, seconds })
              .then(
                () => "fine",
                () => "refused",
              );
            expect(outcome).toBe(found !== undefined && found.state !== "released" ? "fine" : "refused");
            if (found?.state === "reserved") model.set(reservationId, { seconds, state: "settled" });
          } else {
            const outcome = await quotas()
              .releaseQuota({ reservationId })
              .then(
                () => "fine",
                () => "refused",
              );
            expect(outcome).toBe(found?.state === "settled" ? "refused" : "fine");
            if (found?.state === "reserved") model.set(reservationId, { ...found, state: "released" });
          }
        }
        expect(await stateOf(userId)).toMatchObject({ usedSeconds: sum("settled"), reservedSeconds: sum("reserved") });
      }),
      { numRuns: 25 },
    );
  });
});

describe("who may ask", () => {
  const nobody = "00000000-0000-4000-8000-000000000000";
  beforeAll(async () => {
    owner = await kinora.owner(); // months have passed
  });
  it.each<[string, () => Promise<unknown>, string]>([
    ["no user", () => reserve(nobody, 1), "NotFound"],
    ["what isn't a number of seconds", () => reserve(owner.id, -1), "InvalidArgument"],
    ["not a number", () => reserve(owner.id, Number.NaN), "InvalidArgument"],
    ["for ever", () => reserve(owner.id, Number.POSITIVE_INFINITY), "InvalidArgument"],
    ["an identifier of another form", () => reserve(owner.id, 1, "x"), "InvalidArgument"],
    [
      "as the owner",
      () => kinora.as(owner.accessToken).quotas.releaseQuota({ reservationId: nobody }),
      "PermissionDenied",
    ],
    ["as nobody", () => kinora.as().quotas.releaseQuota({ reservationId: nobody }), "Unauthenticated"],
    ["GetQuota as nobody", () => kinora.as().quotas.getQuota({ userId: owner.id }), "Unauthenticated"],
    ["GetQuota of no user", () => quotas().getQuota({ userId: nobody }), "NotFound"],
  ])("%s", async (_what, call, code) => {
    expect((await faultOf(call())).code).toBe(code);
  });

  it("is oneself, administrators and services for GetQuota", async () => {
    const ada = await kinora.join();
    const bob = await kinora.join();
    expect((await kinora.as(ada.accessToken).quotas.getQuota({ userId: ada.id })).limitSeconds).toBe(3600);
    expect((await faultOf(kinora.as(ada.accessToken).quotas.getQuota({ userId: bob.id }))).code).toBe("NotFound");
    await kinora.as(owner.accessToken).quotas.getQuota({ userId: bob.id });
  });
});
