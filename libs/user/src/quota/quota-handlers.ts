import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { type GetQuotaResponse, GetQuotaResponseSchema, type QuotaService } from "@kinora/proto-user";
import { callerOf, DomainError, requireUser } from "@kinora/rpc";
import { lockAccounts } from "../account/account.store.ts";
import { lockHolder } from "../account/holder-lock.store.ts";
import { recordEvent } from "../audit/audit.store.ts";
import { originOf } from "../check/origin.ts";
import { invalidField } from "../fault.ts";
import { requireAdministrator } from "../key/administrator.ts";
import { canSee, refuseLimits } from "../policy.ts";
import type { Sql, Store } from "../store/store.ts";
import { findLimits, type Limits, putLimits } from "./limits.store.ts";
import { endReservation, lockReservation, putReservation, recordUsage, sumUsage, userExists } from "./quota.store.ts";
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
import { lockStorageItem, recordStorage, reserveRoom, sumStorage } from "./storage.store.ts";
import { decideRoom, hasRoom, noRoomSentence, roomLifetimeMs, type StorageState } from "./storage.ts";

/** What the handlers of user.v1.QuotaService need; limits are those of the installation. `quotaMinutes` per user and month, 0 for no limit. */
export type QuotaHandlersDeps = {
  store: Store;
  quotaMinutes: number;
  /** Bytes per user; 0 for no limit. */
  quotaStorageBytes: number;
  now: () => Date;
};

/** Answers user.v1.QuotaService. That only services reserve, settle and release is the gate's to enforce (the contract says it). */
export function createQuotaHandlers(deps: QuotaHandlersDeps): ServiceImpl<typeof QuotaService> {
  const { store, now } = deps;

  async function limitsOf(sql: Sql, userId: string): Promise<Limits> {
    const { ms = deps.quotaMinutes * 60_000, storageBytes = deps.quotaStorageBytes } = await findLimits(sql, userId);
    return { ms, storageBytes };
  }

  const stateOf = async (sql: Sql, userId: string, limits: Limits, time: Date): Promise<QuotaState> => ({
    limitMs: limits.ms,
    ...(await sumUsage(sql, userId, monthStart(time), time)),
  });
  const storageOf = async (sql: Sql, userId: string, limits: Limits, time: Date): Promise<StorageState> => ({
    limitBytes: limits.storageBytes,
    ...(await sumStorage(sql, userId, time)),
  });

  async function quotaOf(sql: Sql, userId: string): Promise<GetQuotaResponse> {
    const time = now();
    const limits = await limitsOf(sql, userId);
    const minutes = await stateOf(sql, userId, limits, time);
    const storage = await storageOf(sql, userId, limits, time);
    return create(GetQuotaResponseSchema, {
      limitSeconds: minutes.limitMs / 1000,
      usedSeconds: minutes.usedMs / 1000,
      reservedSeconds: minutes.reservedMs / 1000,
      limitStorageBytes: BigInt(storage.limitBytes),
      usedStorageBytes: BigInt(storage.storedBytes),
      reservedStorageBytes: BigInt(storage.reservedBytes),
    });
  }

  return {
    async reserveQuota({ reservationId: id, userId, seconds }, context) {
      const expireTime = await store.transaction(context.signal, async (tx) => {
        if (!(await lockHolder(tx, userId))) throw noSuchUser();
        const time = now();
        const found = await lockReservation(tx, id);
        const milliseconds = toMilliseconds(seconds);
        const { move } = allowed(decideReserve(found, userId.toLowerCase(), milliseconds, time));
        if (move === "keep" && found !== undefined) return found.expireTime;
        const all = await stateOf(tx, userId, await limitsOf(tx, userId), time);
        const own = found !== undefined && found.expireTime > time ? found.milliseconds : 0;
        const state = { ...all, reservedMs: all.reservedMs - own };
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
      return await quotaOf(sql, userId);
    },

    async reserveStorage({ itemId: id, userId: givenUserId, bytes: asked }, context) {
      const [userId, bytes] = [givenUserId.toLowerCase(), Number(asked)];
      await store.transaction(context.signal, async (tx) => {
        if (!(await lockHolder(tx, userId))) throw noSuchUser();
        const time = now();
        const found = await lockStorageItem(tx, id);
        const move = decideRoom(found, userId, bytes, time);
        if (move === "keep") return;
        if (move === "belongs to another") {
          throw new DomainError("failed_precondition", "this item belongs to another user");
        }
        const all = await storageOf(tx, userId, await limitsOf(tx, userId), time);
        const own = found !== undefined && found.expireTime > time ? found.bytes : 0;
        const state = { ...all, reservedBytes: all.reservedBytes - own };
        if (!hasRoom(state, bytes)) throw new DomainError("exhausted", noRoomSentence(state, bytes));
        const expireTime = new Date(time.getTime() + roomLifetimeMs);
        await reserveRoom(tx, { id, userId, bytes, now: time, expireTime });
      });
      return {};
    },

    async recordStorage({ changes }, context) {
      const told = changes.map(({ itemId, userId, bytes }) => ({
        itemId: itemId.toLowerCase(),
        userId: userId.toLowerCase(),
        bytes: bytes === undefined ? undefined : Number(bytes),
      }));
      // In one order, so that two calls about the same items don't wait for each other.
      told.sort((one, other) => (one.itemId < other.itemId ? -1 : 1));
      await store.transaction(context.signal, (tx) => recordStorage(tx, told, now()));
      return {};
    },

    async setQuotaLimits({ userId: givenId, limitSeconds, limitStorageBytes, updateMask }, context) {
      const userId = givenId.toLowerCase();
      const caller = requireUser(context);
      const paths = updateMask?.paths ?? [];
      if (paths.some((path) => !["limit_seconds", "limit_storage_bytes"].includes(path))) {
        throw invalidField("update_mask.paths", "names limit_seconds, limit_storage_bytes or both");
      }
      const changes = (path: string) => paths.length === 0 || paths.includes(path);
      await store.transaction(context.signal, async (tx) => {
        const people = await lockAccounts(tx, [caller.userId, userId]);
        await requireAdministrator(tx, caller, now());
        const [actor, target] = [people.get(caller.userId), people.get(userId)];
        const refusal = actor && target && refuseLimits(actor, target);
        if (refusal !== undefined) throw new DomainError(refusal.reason, refusal.message);
        if (!(await lockHolder(tx, userId))) throw noSuchUser();
        const limits = await findLimits(tx, userId);
        if (changes("limit_seconds")) limits.ms = limitSeconds === undefined ? undefined : toMilliseconds(limitSeconds);
        if (changes("limit_storage_bytes")) {
          limits.storageBytes = limitStorageBytes === undefined ? undefined : Number(limitStorageBytes);
        }
        await putLimits(tx, userId, limits, now());
        const details = {
          seconds: limits.ms === undefined ? "default" : String(limits.ms / 1000),
          storageBytes: String(limits.storageBytes ?? "default"),
        };
        const event = { type: "quota.limits_changed", userId, actorId: caller.userId, details } as const;
        await recordEvent(tx, { ...event, origin: originOf(context), time: now() });
      });
      return { quota: await quotaOf(store.on(context.signal), userId) };
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
