import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { waitUntil } from "@kinora/testing";

/** A letter as the local outbox keeps it. */
export type ReceivedLetter = { to: string; subject: string; text: string; code: string };

/** The letters in the local outbox of a data folder. */
export type Mailbox = {
  /** Letters to an address, oldest first. */
  letters(to: string): Promise<ReceivedLetter[]>;
  /** Waits for the next letter to an address whose subject matches, and takes it. */
  next(to: string, subject: RegExp): Promise<ReceivedLetter>;
};

export function openMailbox(dataDir: string): Mailbox {
  const folder = join(dataDir, "outbox");
  const taken = new Set<string>();

  async function read(to: string): Promise<(ReceivedLetter & { file: string })[]> {
    const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith(".txt")).toSorted();
    const all = await Promise.all(
      files.map(async (file) => ({ ...parse(await readFile(join(folder, file), "utf8")), file })),
    );
    return all.filter((letter) => letter.to === to);
  }
  return {
    letters: read,
    next: (to, subject) =>
      waitUntil(`a letter to ${to} about ${subject}`, async () => {
        const found = (await read(to)).find((letter) => subject.test(letter.subject) && !taken.has(letter.file));
        if (found !== undefined) taken.add(found.file);
        return found;
      }),
  };
}

function parse(letter: string): ReceivedLetter {
  const [head = "", ...rest] = letter.split("\n\n");
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(head)?.[1] ?? "";
  const text = rest.join("\n\n");
  return { to: field("To"), subject: field("Subject"), text, code: /^ {4}(\S+)$/m.exec(text)?.[1] ?? "" };
}
