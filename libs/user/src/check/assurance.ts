/** What a login can be made of. */
export type Factor = "password" | "totp" | "recovery_code" | "passkey";

/** A factor that was shown, and when. */
export type PassedCheck = { factor: Factor; time: Date };

/** What an account has turned on besides its password. Recovery codes are no factor of their own: they stand in for one. */
export type SecondFactor = "totp" | "passkey";

/** For how long a login counts as recent, in milliseconds. */
export const recentMs = 10 * 60_000;

/**
 * Whether the checks suffice to log in: a passkey, which verified its user and so counts as two factors (NIST SP 800-63B-4, 3.1.6), or the password and, where one is
 * on, a second factor or a recovery code.
 */
export function isComplete(passed: readonly PassedCheck[], enrolled: readonly SecondFactor[]): boolean {
  return missingFactors(passed, enrolled).length === 0;
}

/** The factors of which any one comes next; empty when nothing is missing. */
export function missingFactors(passed: readonly PassedCheck[], enrolled: readonly SecondFactor[]): Factor[] {
  const has = (factor: Factor) => passed.some((check) => check.factor === factor);
  if (has("passkey")) return [];
  if (!has("password")) return enrolled.includes("passkey") ? ["password", "passkey"] : ["password"];
  if (enrolled.length === 0 || has("totp") || has("recovery_code")) return [];
  return [...enrolled, "recovery_code"];
}

/** Whether a complete login was made a short time ago: changes of how somebody logs in ask for that (ASVS 7.5.1). */
export function isRecent(passed: readonly PassedCheck[], enrolled: readonly SecondFactor[], now: Date): boolean {
  const recent = passed.filter(({ time }) => now.getTime() - time.getTime() <= recentMs);
  return isComplete(recent, enrolled);
}
