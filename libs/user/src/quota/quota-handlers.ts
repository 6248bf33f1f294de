import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { QuotaService } from "@kinora/proto-user";
import { callerOf, DomainError } from "@kinora/rpc";
import { canSee } from "../policy.ts";
import type { Sql, Store } from "../store/store.ts";
import {
  endReservation,
  lockReservation,
  lockUser,
  putReservation,
  recordUsage,
  sumUsage,
  userExists,
} from "./quota.store.ts";
import {
  decideRelease,
  decideReserve,
  decideSettle,
  exhaustedSentence,
  fits,
  monthStart,
  nextMonthStart,
  type QuotaState,
  type ReservationMove,
  reservationLifetimeMs,
  toMilliseconds,
} from "./quota.ts";

/** What the handlers of user.v1.QuotaService need; `quotaMinutes` per user and month, 0 for no limit. */
export type QuotaHandlersDeps = { store: Store; quotaMinutes: number; now: () => Date };

/** Answers user.v1.QuotaService. That only services reserve, settle and release is the gate's to enforce (the contract says it). */
export function createQuotaHandlers({ store, quotaMinutes, now }: QuotaHandlersDeps): ServiceImpl<typeof QuotaService> {
  const stateOf = async (sql: Sql, userId: string, time: Date): Promise<QuotaState> => ({
    limitMs: quotaMinutes * 60_000,
    ...(await sumUsage(sql, userId, monthStart(time), time)),
  });

  return {
    async reserveQuota({ reservationId: id, userId, seconds }, context) {
      const expireTime = await store.transaction(context.signal, async (tx) => {
        if (!(await lockUser(tx, userId))) throw noSuchUser();
        const time = now();
        const found = await lockReservation(tx, id);
        const { move } = allowed(decideReserve(found, userId.toLowerCase(), time));
        if (move === "keep" && found !== undefined) return found.expireTime;
        const state = await stateOf(tx, userId, time);
        const milliseconds = toMilliseconds(seconds);
        if (!fits(state, milliseconds)) {
          const untilReset = Math.ceil((nextMonthStart(time).getTime() - time.getTime()) / 1000);
          throw new DomainError("exhausted", exhaustedSentence(state, milliseconds, time), {
            retryAfterSeconds: untilReset,
          });
        }
        const lapses = new Date(time.getTime() + reservationLifetimeMs);
        if (!(await putReservation(tx, { id, userId, milliseconds, now: time, expireTime: lapses }))) {
          throw new DomainError("failed_precondition", "this reservation belongs to another user");
        }
        return lapses;
      });
      return { expireTime: timestampFromDate(expireTime) };
    },

    async settleQuota({ reservationId: id, seconds }, context) {
      await store.transaction(context.signal, async (tx) => {
        const found = await lockReservation(tx, id);
        const { move } = allowed(decideSettle(found));
        if (move !== "settle" || found === undefined) return;
        await endReservation(tx, id, "settled");
        await recordUsage(tx, {
          userId: found.userId,
          reservationId: id,
          milliseconds: toMilliseconds(seconds),
          now: now(),
        });
      });
      return {};
    },

    async releaseQuota({ reservationId: id }, context) {
      await store.transaction(context.signal, async (tx) => {
        const { move } = allowed(decideRelease(await lockReservation(tx, id)));
        if (move === "release") await endReservation(tx, id, "released");
      });
      return {};
    },

    async getQuota(request, context) {
      const userId = request.userId.toLowerCase();
      const sql = store.on(context.signal);
      if (!canSee(callerOf(context), userId) || !(await userExists(sql, userId))) throw noSuchUser();
      const state = await stateOf(sql, userId, now());
      return {
        limitSeconds: state.limitMs / 1000,
        usedSeconds: state.usedMs / 1000,
        reservedSeconds: state.reservedMs / 1000,
      };
    },
  };
}

function allowed(decision: ReservationMove): Exclude<ReservationMove, { move: "refuse" }> {
  if (decision.move === "refuse") throw new DomainError(decision.reason, decision.message);
  return decision;
}

function noSuchUser(): DomainError {
  return new DomainError("not_found", "no such user");
}
