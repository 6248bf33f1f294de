import { hostname } from "node:os";
import type { Mailer } from "./mailer.ts";

/** Sends letters by a mail server, one connection a letter. */
export function createSmtp({ smtpUrl, from }: { smtpUrl: string; from: string }): Mailer {
  const timeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000, dnsTimeout: 10_000 };
  // Letters are ours from the first to the last character: nothing in them is a file or an address to fetch.
  const guards = { disableFileAccess: true, disableUrlAccess: true };
  return {
    async send({ to, subject, text }, id, signal) {
      signal.throwIfAborted();
      const { createTransport } = await import("nodemailer");
      const transport = createTransport({ url: smtpUrl, ...timeouts, ...guards });
      const given = Promise.withResolvers<never>();
      const giveUp = () => {
        transport.close();
        given.reject(signal.reason);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      try {
        const messageId = `<${id}@${hostname()}>`;
        await Promise.race([
          // `to` as an address object: what somebody typed is never read as a list of addresses.
          transport.sendMail({ from, to: { name: "", address: to }, subject, text, messageId }),
          given.promise,
        ]);
      } finally {
        signal.removeEventListener("abort", giveUp);
        transport.close();
      }
    },
    close() {},
  };
}
