import type { Letter } from "./mailer.ts";

/** What a code is sent for. */
export type CodePurpose = "sign_up" | "verify_email" | "reset_password" | "change_email" | "invitation";

/** What people are told of without a code. */
export type Notice =
  | { kind: "welcome" | "sign_up_known" | "password_changed"; to: string }
  | { kind: "email_changed"; to: string; email: string }
  | { kind: "factor_added" | "factor_removed"; to: string; factor: string };

const ifNotYou = "If you did not ask for this, do nothing: without the code nothing changes.";

/** The letter that carries a code. `code` names the invitation, too, where it is one. */
export function codeLetter(purpose: CodePurpose, to: string, code: string): Letter {
  const shortLived = `The code works once, until ten minutes after you asked for it. ${ifNotYou}`;
  switch (purpose) {
    case "sign_up":
      return {
        to,
        subject: "Confirm your address for Kinora",
        text: `Your code to complete your sign-up at Kinora:\n\n    ${code}\n\n${shortLived}`,
      };
    case "verify_email":
      return {
        to,
        subject: "Confirm your address for Kinora",
        text: `Your code to confirm that this address is yours:\n\n    ${code}\n\n${shortLived}`,
      };
    case "reset_password":
      return {
        to,
        subject: "A new password for Kinora",
        text: `Your code to choose a new password for Kinora:\n\n    ${code}\n\n${shortLived}`,
      };
    case "change_email":
      return {
        to,
        subject: "Your new address for Kinora",
        text: `Your code to use this address for your account at Kinora:\n\n    ${code}\n\n${shortLived}`,
      };
    case "invitation":
      return {
        to,
        subject: "You are invited to Kinora",
        text: `Somebody invites you to Kinora. Your invitation, to be given when you sign up with this address:\n\n    ${code}\n\nIt works once, for seven days. With the command line: kinora signup ${to} --invitation ${code}`,
      };
  }
}

/** The letter that tells of something. */
export function noticeLetter(notice: Notice): Letter {
  const { to } = notice;
  const notYou = "If that wasn't you, set a new password at once and look at your sessions.";
  switch (notice.kind) {
    case "welcome":
      return {
        to,
        subject: "Welcome to Kinora",
        text: "Somebody made an account at Kinora with this address. If that wasn't you, ask for a new password: then the account is yours, and you can delete it.",
      };
    case "sign_up_known":
      return {
        to,
        subject: "You have an account at Kinora",
        text: "Somebody tried to sign up at Kinora with this address, which has an account already. If that was you, log in, or ask for a new password. If it wasn't, do nothing.",
      };
    case "password_changed":
      return { to, subject: "Your password for Kinora has changed", text: `Your password was changed. ${notYou}` };
    case "email_changed":
      return {
        to,
        subject: "Your address for Kinora has changed",
        text: `Your account at Kinora has the address ${notice.email} from now on. ${notYou}`,
      };
    case "factor_added":
      return {
        to,
        subject: "A second factor was added to your account at Kinora",
        text: `You can log in with ${notice.factor} now. ${notYou}`,
      };
    case "factor_removed":
      return {
        to,
        subject: "A second factor was removed from your account at Kinora",
        text: `You can no longer log in with ${notice.factor}. ${notYou}`,
      };
  }
}
