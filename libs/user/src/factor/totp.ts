import { randomBytes } from "node:crypto";
import { Secret, TOTP } from "otpauth";

/** Seconds that a code is shown for. */
const period = 30;

/** A new secret: 160 bits, as HMAC-SHA-1 takes (RFC 4226, 4). */
export function createTotpSecret(): Buffer {
  return randomBytes(20);
}

/** The secret as authenticator apps take it: as an address for a QR code, and as Base32. */
export function describeTotp(secret: Uint8Array, email: string): { uri: string; secret: string } {
  const totp = totpOf(secret, email);
  return { uri: totp.toString(), secret: totp.secret.base32 };
}

/**
 * The time step whose code this is: the present one, or one before or after it, as clocks differ (RFC 6238, 5.2). Undefined if it is no code of these. Whoever takes the
 * code must note the step, and take no code of it or of one before again.
 */
export function totpStep(secret: Uint8Array, code: string, now: Date): number | undefined {
  const token = code.replace(/[\s-]/g, "");
  if (!/^\d{6}$/.test(token)) return undefined;
  const delta = totpOf(secret, "").validate({ token, timestamp: now.getTime(), window: 1 });
  return delta === null ? undefined : Math.floor(now.getTime() / 1000 / period) + delta;
}

/** SHA-1, six digits, thirty seconds: what every authenticator app supports. */
function totpOf(secret: Uint8Array, label: string): TOTP {
  return new TOTP({
    issuer: "Kinora",
    label,
    algorithm: "SHA1",
    digits: 6,
    period,
    secret: new Secret({ buffer: Uint8Array.from(secret).buffer }),
  });
}
