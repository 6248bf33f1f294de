import type { Logger } from "@kinora/rpc";
import { createLocalOutbox } from "./local-outbox.ts";
import { createSmtp } from "./smtp.ts";

/** A letter to one person, as plain text. */
export type Letter = { to: string; subject: string; text: string };

/** Sends letters. Throws when a letter couldn't be handed over: it is to be tried again. */
export type Mailer = {
  /** `id` names the letter wherever it goes, so that one that was sent twice can be known. */
  send(letter: Letter, id: string, signal: AbortSignal): Promise<void>;
  close(): void;
};

/** How mail leaves: to a server where there is one (`SMTP_URL`), and else into a folder of this machine. */
export type MailSettings = { smtpUrl: string | undefined; from: string };

export function createMailer(settings: MailSettings, deps: { dataDir: string; logger: Logger }): Mailer {
  const { smtpUrl, from } = settings;
  return smtpUrl === undefined ? createLocalOutbox({ ...deps, from }) : createSmtp({ smtpUrl, from });
}
