/** What kind of fault it is. One mapper turns it into a Connect code. */
export type FaultReason =
  | "invalid"
  | "not_found"
  | "already_exists"
  | "failed_precondition"
  | "permission_denied"
  | "unauthenticated"
  | "exhausted"
  | "aborted"
  | "unavailable";

/** A field that breaks a rule. `field` is its path in the request, such as `user.email`. */
export type FieldViolation = { field: string; message: string; id?: string };

/** What a DomainError may carry beside its message. */
export type DomainErrorOptions = {
  violations?: FieldViolation[];
  /** When to try again: sent as a `retry-after` header. */
  retryAfterSeconds?: number;
  /** For the log only. */
  cause?: unknown;
};

/** An expected fault. The message reaches the caller: a sentence that says what to do, without secrets. */
export class DomainError extends Error {
  override readonly name = "DomainError";
  readonly reason: FaultReason;
  readonly violations: readonly FieldViolation[];
  readonly retryAfterSeconds: number | undefined;

  constructor(reason: FaultReason, message: string, options: DomainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.violations = options.violations ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
