import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@kinora/rpc";
import type { Mailer } from "./mailer.ts";

/** Letters that are kept; older ones make room. */
const maxLetters = 1000;

/**
 * Keeps letters as files in `<dataDir>/outbox`, readable by the user who started this process alone, and prints them to the log: for the default set-up, where whoever
 * reads the log is the person the letter is for.
 */
export function createLocalOutbox(deps: { dataDir: string; logger: Logger; from: string }): Mailer {
  const { dataDir, logger, from } = deps;
  const folder = join(dataDir, "outbox");
  return {
    async send({ to, subject, text }, id, signal) {
      // The data folder itself isn't made anew: where it is gone, so is the installation that the letter is of.
      await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      });
      signal.throwIfAborted();
      const file = join(folder, `${new Date().toISOString().replaceAll(":", "-")}-${id}.txt`);
      const content = `From: ${from}\nTo: ${to}\nSubject: ${subject}\n\n${text}\n`;
      await writeFile(`${file}.draft`, content, { mode: 0o600, flag: "wx", signal });
      await rename(`${file}.draft`, file);
      logger.info({ file }, `no SMTP_URL is set, so this letter stays here. To ${to}: ${subject}\n\n${text}`);
      const letters = (await readdir(folder)).toSorted();
      for (const old of letters.slice(0, -maxLetters)) await rm(join(folder, old), { force: true });
    },
    close() {},
  };
}
