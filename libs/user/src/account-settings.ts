import { type ConfigOf, integer, networks, oneOf, optional, text, url } from "@kinora/service";
import { leastAuditDays } from "./audit/audit.ts";
import type { UserServiceDeps } from "./user-service.ts";

/** What whoever runs the user service may set about accounts; spread it into the process's own spec. */
export const accountSettings = {
  /** Who may make an account: everybody, whoever was invited, or administrators only. */
  SIGN_UP: oneOf(["open", "invitation", "closed"], { default: "open" }),
  /** Whether an account begins only when its address is confirmed; where mail leaves by a server, it does unless this says otherwise. */
  VERIFY_EMAIL: optional(oneOf(["required", "optional"])),
  /** The server that takes mail, with its credential. Without it letters stay in `outbox` below KINORA_DATA. */
  SMTP_URL: optional(url({ schemes: ["smtps", "smtp"], secret: true })),
  /** Whom letters come from. */
  MAIL_FROM: text({ default: "Kinora <kinora@localhost>", maxLength: 320 }),
  /** Days for which the audit log keeps an event. */
  AUDIT_DAYS: integer({ default: 366, min: leastAuditDays, max: 36_500 }),
  /** The proxies in front: attempts count for who calls them, as `X-Forwarded-For` says, instead of for them. */
  TRUSTED_PROXIES: optional(networks()),
};

/** The settings as `createUserService` takes them. */
export function accountOptions(
  config: ConfigOf<typeof accountSettings>,
): Pick<UserServiceDeps, "signUp" | "verifyEmail" | "mail" | "auditDays"> {
  const { SIGN_UP: signUp, VERIFY_EMAIL, SMTP_URL: smtpUrl, MAIL_FROM: from, AUDIT_DAYS: auditDays } = config;
  const verification = VERIFY_EMAIL ?? (smtpUrl === undefined ? "optional" : "required");
  return { signUp, verifyEmail: verification === "required", mail: { smtpUrl, from }, auditDays };
}
