import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { QuotaService } from "@kinora/proto-user";

/** The user service's quotas as the contract describes them, in memory. */
export type FakeQuota = {
  routes: (router: ConnectRouter) => void;
  /** Reservations by id. */
  readonly reservations: Map<string, { userId: string; seconds: number; state: "reserved" | "settled" | "released" }>;
  /** Refuses reservations beyond this many seconds. */
  limitSeconds: number;
  /** What is stored and set aside, by item. */
  readonly storage: Map<string, { userId: string; bytes: number; state: "reserved" | "stored" | "released" }>;
  /** Refuses to set more aside than this. */
  limitStorageBytes: number;
  /** While true every call answers `unavailable`. */
  away: boolean;
  /** Calls that found it away. */
  missedCalls: number;
};

/** Makes one. */
export function createFakeQuota(): FakeQuota {
  const reservations: FakeQuota["reservations"] = new Map();
  const check = () => {
    if (!fake.away) return;
    fake.missedCalls += 1;
    throw new ConnectError("user is away", Code.Unavailable);
  };
  const storage: FakeQuota["storage"] = new Map();
  const fake: FakeQuota = {
    reservations,
    storage,
    limitStorageBytes: Number.POSITIVE_INFINITY,
    limitSeconds: Number.POSITIVE_INFINITY,
    away: false,
    missedCalls: 0,
    routes: (router) =>
      router.service(QuotaService, {
        reserveQuota({ reservationId, userId, seconds }) {
          check();
          const known = reservations.get(reservationId);
          if (known && known.state !== "reserved") throw new ConnectError("it has ended", Code.FailedPrecondition);
          if (seconds > fake.limitSeconds) {
            throw new ConnectError("Your quota of this month is used up.", Code.ResourceExhausted);
          }
          reservations.set(reservationId, { userId, seconds, state: "reserved" });
          return {};
        },
        settleQuota({ reservationId, seconds }) {
          check();
          const known = reservations.get(reservationId);
          if (known === undefined) throw new ConnectError("no such reservation", Code.NotFound);
          if (known.state === "released") throw new ConnectError("it is released", Code.FailedPrecondition);
          Object.assign(known, { seconds, state: "settled" });
          return {};
        },
        releaseQuota({ reservationId }) {
          check();
          const known = reservations.get(reservationId);
          if (known?.state === "settled") throw new ConnectError("it is settled", Code.FailedPrecondition);
          if (known) known.state = "released";
          return {};
        },
        reserveStorage({ itemId, userId, bytes }) {
          check();
          if (Number(bytes) > fake.limitStorageBytes) {
            throw new ConnectError("This needs more storage than you have.", Code.ResourceExhausted);
          }
          const known = storage.get(itemId);
          if (known === undefined || known.state === "reserved") {
            storage.set(itemId, { userId, bytes: Number(bytes), state: "reserved" });
          }
          return {};
        },
        recordStorage({ changes }) {
          check();
          for (const { itemId, userId, bytes } of changes) {
            if (storage.get(itemId)?.state === "released") continue;
            const state = bytes === undefined ? "released" : "stored";
            storage.set(itemId, { userId, bytes: Number(bytes ?? 0), state });
          }
          return {};
        },
        setQuotaLimits() {
          return {};
        },
        getQuota() {
          check();
          return {};
        },
      }),
  };
  return fake;
}
