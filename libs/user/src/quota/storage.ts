/** What an account has stored, in bytes. A limit of 0 stands for none. */
export type StorageState = { limitBytes: number; storedBytes: number; reservedBytes: number };

/** How long room is kept for what doesn't come: a day longer than the encoder keeps an upload that nobody goes on with. */
export const roomLifetimeMs = 8 * 24 * 3_600_000;

/** Whether `askedBytes` more fit. */
export function hasRoom(state: StorageState, askedBytes: number): boolean {
  return state.limitBytes === 0 || state.storedBytes + state.reservedBytes + askedBytes <= state.limitBytes;
}

/** Tells a person why something doesn't fit and what to do, with the figures. What is asked is rounded up and what is free down, so that the sum is plain. */
export function noRoomSentence(state: StorageState, askedBytes: number): string {
  const free = Math.max(0, state.limitBytes - state.storedBytes - state.reservedBytes);
  const aside =
    state.reservedBytes > 0 ? `, and ${size(state.reservedBytes, Math.ceil)} set aside for what is under way` : "";
  return (
    `This needs ${size(askedBytes, Math.ceil)} of your storage, but ${size(free, Math.floor)} of ${size(state.limitBytes, Math.floor)} are free ` +
    `(${size(state.storedBytes, Math.ceil)} used${aside}). Delete videos or encodes that you don't need, or ask an administrator for more.`
  );
}

/** Megabytes below a gigabyte, otherwise gigabytes with one decimal where it isn't 0. */
function size(bytes: number, round: (value: number) => number): string {
  return bytes < 1e9 ? `${round(bytes / 1e6)} MB` : `${round(bytes / 1e8) / 10} GB`;
}

/** An item, as it was left. */
export type StorageItem = {
  userId: string;
  bytes: number;
  state: "reserved" | "stored" | "released";
  expireTime: Date;
};

/** What a call does with the item that it names. */
export type StorageMove = "make" | "renew" | "keep" | "belongs to another";

/**
 * Setting room aside: a repeated call finds its item; a reservation that has lapsed, or is for less, is asked for anew. What is stored or gone stays so, as calls may
 * come late.
 */
export function decideRoom(found: StorageItem | undefined, userId: string, bytes: number, now: Date): StorageMove {
  if (found === undefined) return "make";
  if (found.userId !== userId) return "belongs to another";
  if (found.state !== "reserved") return "keep";
  return found.expireTime > now && bytes <= found.bytes ? "keep" : "renew";
}
