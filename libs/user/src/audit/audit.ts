import type { Origin } from "../check/origin.ts";

/** The fewest days for which events are kept: a day more than the database lets nothing of them go (migrations/0014_audit_age.ts). */
export const leastAuditDays = 31;

/** What the audit log has names for; docs/identity.md says when each is written. */
export type AuditType =
  | "account.created"
  | "account.deleted"
  | "account.disabled"
  | "account.enabled"
  | "account.exported"
  | "account.role_changed"
  | "check.failed"
  | "check.passed"
  | "check.throttled"
  | "email.change_requested"
  | "email.changed"
  | "email.verified"
  | "factor.added"
  | "factor.removed"
  | "invitation.created"
  | "invitation.deleted"
  | "password.changed"
  | "password.reset"
  | "password.reset_failed"
  | "password.reset_requested"
  | "quota.limits_changed"
  | "recovery_codes.created"
  | `session.${string}`
  | `key.${string}`
  | `service_account.${string}`;

/** Something that happened. `details` never holds a secret, nor anything that somebody typed at a login. */
export type AuditEntry = {
  type: AuditType;
  /** The account that it concerns. */
  userId?: string | undefined;
  /** The account that did it, if somebody was logged in. */
  actorId?: string | undefined;
  origin: Origin;
  time: Date;
  details?: Record<string, string>;
};

/** An entry as the log has it. */
export type AuditEvent = {
  id: number;
  time: Date;
  type: string;
  userId: string | null;
  actorId: string | null;
  address: string;
  device: string;
  details: Record<string, string>;
};
