/** A signing key's times. It is published from the moment it is made until it retires, and signs from its activation until the next one's. */
export type KeyTimes = { createTime: Date; activateTime: Date; retireTime: Date };

const hour = 3_600_000;

/** How long a key signs, in milliseconds: 30 days. */
export const signingMs = 30 * 24 * hour;

/**
 * How long a key is public before it signs, at least, in milliseconds. Verifiers ask for keys every five minutes; the rest is for those whom a proxy's cache, or a release
 * before 0.2 on its way out, keeps behind.
 */
export const publishMs = hour;

/** How long a key stays public after it should have signed for the last time, in milliseconds: tokens live ten minutes, and a replica may learn late of the next key. */
export const retireMs = 24 * hour;

/** The times of a key that signs from `activateTime`. */
export function keyTimes(createTime: Date, activateTime: Date): KeyTimes {
  return { createTime, activateTime, retireTime: new Date(activateTime.getTime() + signingMs + publishMs + retireMs) };
}

/** The key that signs now: the one that became active last. Undefined if none is. */
export function signingKeyOf<K extends KeyTimes>(keys: readonly K[], now: Date): K | undefined {
  const active = keys.filter(({ activateTime, retireTime }) => activateTime <= now && now < retireTime);
  return active.sort((one, other) => other.activateTime.getTime() - one.activateTime.getTime())[0];
}

/**
 * The key that has to be made now, by its times; undefined if none has: there is always one that signs and one that comes next. Where there is none to sign with, the new one
 * does so at once; otherwise it waits until the one before has had its time.
 */
export function missingKey(keys: readonly KeyTimes[], now: Date): KeyTimes | undefined {
  const current = signingKeyOf(keys, now);
  if (current === undefined) {
    return keyTimes(now, now);
  }
  if (keys.some(({ activateTime }) => activateTime > now)) {
    return undefined;
  }
  return keyTimes(now, new Date(Math.max(current.activateTime.getTime() + signingMs, now.getTime() + publishMs)));
}
