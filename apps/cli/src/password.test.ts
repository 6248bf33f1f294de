import { PassThrough, Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Context, Input, Output } from "./context.ts";
import { Interrupted, UsageError } from "./errors.ts";
import { readAnswer, readPassword, readSecrets } from "./password.ts";

/** A terminal: what is typed, what is seen, and whether keys come one by one. */
function terminal() {
  const stdin: Input & PassThrough = new PassThrough();
  let seen = "";
  const stderr: Output = new Writable({
    write(chunk, _encoding, done) {
      seen += chunk;
      done();
    },
  });
  let raw = false;
  Object.assign(stdin, {
    isTTY: true,
    setRawMode(on: boolean) {
      raw = on;
    },
  });
  const interrupt = new AbortController();
  const context: Pick<Context, "stdin" | "stderr" | "signal"> = { stdin, stderr, signal: interrupt.signal };
  return {
    context,
    interrupt,
    isRaw: () => raw,
    type: (keys: string | Buffer) => stdin.write(keys),
    screen: () => seen,
  };
}

describe("a question on a terminal", () => {
  it.each([
    ["ada@example.com\r", "ada@example.com"],
    ["  ada \n", "ada"],
    ["adb\u007fa\r", "ada"],
    ["nonsense\u0015ada\r", "ada"],
    ["a\u001b[Dd\u001b[1;5Ca\u001bOA\u001b[3~\r", "ada"],
    ["ada\u001b\r", "ada"],
    ["a\tda\u0000\r", "ada"],
    ["ada\u0004", "ada"],
    ["Zo\u00eb \ud83d\udc1f\r", "Zo\u00eb \ud83d\udc1f"],
  ])("%j is %j", async (keys, answer) => {
    const { context, type, isRaw } = terminal();
    const asked = readAnswer(context, "E-mail: ");
    expect(isRaw()).toBe(true);
    type(keys);
    expect(await asked).toBe(answer);
    expect(isRaw()).toBe(false);
  });

  it("shows what is typed and mended, whatever the width of it", async () => {
    const { context, type, screen } = terminal();
    const asked = readAnswer(context, "Name: ");
    type("ab\u007f\u6f22\u007fc\r");
    expect(await asked).toBe("ac");
    expect(screen()).toBe("Name: ab\b \b\u6f22\b \b\b \bc\n");
  });

  it("takes characters that come in pieces", async () => {
    const { context, type } = terminal();
    const asked = readAnswer(context, "Name: ");
    for (const byte of Buffer.from("Zo\u00eb\r")) type(Buffer.from([byte]));
    expect(await asked).toBe("Zo\u00eb");
  });

  it("shows nothing of a password, and nothing of one that is pasted after its address", async () => {
    const { context, type, screen } = terminal();
    const answer = readAnswer(context, "E-mail: ");
    type("ada@example.com\r\nseventeen swans\r");
    expect(await answer).toBe("ada@example.com");
    expect(await readPassword(context, "Password: ", false)).toBe("seventeen swans");
    expect(screen()).toBe("E-mail: ada@example.com\nPassword: \n");
  });

  it("takes several that are pasted at once", async () => {
    const { context, type } = terminal();
    type("one one one\rtwo two two\r");
    expect(await readSecrets(context, ["Current password: ", "New password: "])).toEqual([
      "one one one",
      "two two two",
    ]);
  });

  it.each([
    ["Ctrl-C", "abc\u0003"],
    ["Ctrl-D before anything", "\u0004"],
  ])("is left by %s, and the terminal is as it was", async (_, keys) => {
    for (const ask of [
      readAnswer,
      (...[context, prompt]: Parameters<typeof readAnswer>) => readPassword(context, prompt, false),
    ]) {
      const { context, type, isRaw, screen } = terminal();
      const asked = ask(context, "? ");
      type(keys);
      await expect(asked).rejects.toBeInstanceOf(Interrupted);
      expect(isRaw()).toBe(false);
      expect(screen()).toMatch(/\n$/);
    }
  });

  it("is left by a signal, and when the terminal goes away", async () => {
    const one = terminal();
    const asked = readAnswer(one.context, "? ");
    one.interrupt.abort(new Interrupted(""));
    await expect(asked).rejects.toBeInstanceOf(Interrupted);
    const other = terminal();
    const left = readPassword(other.context, "? ", false);
    await turn();
    (other.context.stdin as Input & PassThrough).end();
    await expect(left).rejects.toBeInstanceOf(Interrupted);
    expect([one.isRaw(), other.isRaw()]).toEqual([false, false]);
  });
});

describe("without a terminal", () => {
  const given = (input: string) => {
    const stdin: Input & PassThrough = new PassThrough();
    stdin.end(input);
    return { stdin, stderr: new PassThrough(), signal: new AbortController().signal };
  };
  it("a password is the first line", async () => {
    expect(await readPassword(given("swans\r\nmore\n"), "", false)).toBe("swans");
    await expect(readPassword(given(""), "", false)).rejects.toThrow(/first line must be the password/);
  });
  it("several are as many lines, which are named where they are missing", async () => {
    expect(await readSecrets(given("one\ntwo\n"), ["Current password: ", "New password: "])).toEqual(["one", "two"]);
    const missing = readSecrets(given("one\n"), ["Current password: ", "New password: "]);
    await expect(missing).rejects.toThrow("2 lines: Current password, New password.");
    await expect(missing).rejects.toBeInstanceOf(UsageError);
  });
});
