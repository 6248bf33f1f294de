/** A user's quota in the current calendar month (UTC), in milliseconds of source video. A limit of 0 stands for none. */
export type QuotaState = { limitMs: number; usedMs: number; reservedMs: number };

/** How long a reservation holds without being settled: longer than any encode that still makes progress. */
export const reservationLifetimeMs = 24 * 3_600_000;

/** Seconds of the contract as whole milliseconds, so that sums are exact. */
export function toMilliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}

/** The first moment of the calendar month (UTC) that holds `now`. */
export function monthStart(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
}

/** The first moment of the next calendar month (UTC). */
export function nextMonthStart(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1));
}

/** Whether `askedMs` more fit. */
export function fits(state: QuotaState, askedMs: number): boolean {
  return state.limitMs === 0 || state.usedMs + state.reservedMs + askedMs <= state.limitMs;
}

/** Tells a person why a video doesn't fit, with the figures. What is asked is rounded up and what is left down, so that the sum is plain. */
export function exhaustedSentence(state: QuotaState, askedMs: number, now: Date): string {
  const leftMs = Math.max(0, state.limitMs - state.usedMs - state.reservedMs);
  const aside =
    state.reservedMs > 0 ? ` and ${minutes(state.reservedMs, Math.ceil)} set aside for encodes under way` : "";
  return (
    `This video needs ${minutes(askedMs, Math.ceil)} minutes of your encoding quota, but ${minutes(leftMs, Math.floor)} of ` +
    `${minutes(state.limitMs, Math.floor)} are left this month (${minutes(state.usedMs, Math.ceil)} used${aside}). ` +
    `The quota starts anew on ${nextMonthStart(now).toISOString().slice(0, 10)}.`
  );
}

/** Minutes with one decimal where it isn't 0. */
function minutes(ms: number, round: (value: number) => number): string {
  return String(round(ms / 6_000) / 10);
}

/** A reservation, as it was left. */
export type Reservation = {
  userId: string;
  milliseconds: number;
  state: "reserved" | "settled" | "released";
  expireTime: Date;
};

/** What a call does with the reservation that it names; `none` if there is none. */
export type ReservationMove =
  | { move: "make" | "renew" | "keep" | "settle" | "release" | "nothing" }
  | { move: "refuse"; reason: "not_found" | "failed_precondition"; message: string };

/** Reserving: a repeated call finds its reservation; one that has lapsed, or is for less, is asked for anew. */
export function decideReserve(
  found: Reservation | undefined,
  userId: string,
  milliseconds: number,
  now: Date,
): ReservationMove {
  if (found === undefined) return { move: "make" };
  if (found.userId !== userId) {
    return { move: "refuse", reason: "failed_precondition", message: "this reservation belongs to another user" };
  }
  if (found.state !== "reserved") {
    return { move: "refuse", reason: "failed_precondition", message: `this reservation has been ${found.state}` };
  }
  return { move: found.expireTime > now && milliseconds <= found.milliseconds ? "keep" : "renew" };
}

/** Settling: what was used counts even if the reservation has lapsed meanwhile. */
export function decideSettle(found: Reservation | undefined): ReservationMove {
  if (found === undefined) return { move: "refuse", reason: "not_found", message: "no such reservation" };
  if (found.state === "released") {
    return { move: "refuse", reason: "failed_precondition", message: "this reservation has been released" };
  }
  return { move: found.state === "settled" ? "nothing" : "settle" };
}

/** Releasing: one that was never made needs nothing. */
export function decideRelease(found: Reservation | undefined): ReservationMove {
  if (found?.state === "settled") {
    return { move: "refuse", reason: "failed_precondition", message: "this reservation has been settled" };
  }
  return { move: found?.state === "reserved" ? "release" : "nothing" };
}
