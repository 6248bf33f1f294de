import type { Context, Input } from "./context.ts";
import { Interrupted, UsageError } from "./errors.ts";
import { printable, textWidth } from "./text-width.ts";

const maxBytes = 64 * 1024;

/** Asks for a password without showing it, or reads the first line of standard input when that is no terminal. */
export async function readPassword(
  { stdin, stderr, signal }: Pick<Context, "stdin" | "stderr" | "signal">,
  prompt: string,
  fromStdin: boolean,
): Promise<string> {
  if (fromStdin || !stdin.isTTY || !stdin.setRawMode) {
    const password = await firstLine(stdin, signal);
    if (password === "")
      throw new UsageError("No password came on standard input: its first line must be the password.");
    return password;
  }
  return await ask({ stdin, stderr, signal }, prompt, false);
}

/** Asks for several passwords, or reads as many lines of standard input when that is no terminal. */
export async function readSecrets(
  { stdin, stderr, signal }: Pick<Context, "stdin" | "stderr" | "signal">,
  prompts: readonly string[],
): Promise<string[]> {
  const secrets: string[] = [];
  if (stdin.isTTY && stdin.setRawMode) {
    for (const prompt of prompts) secrets.push(await readPassword({ stdin, stderr, signal }, prompt, false));
    return secrets;
  }
  const lines = await firstLines(stdin, prompts.length, signal);
  if (lines.length < prompts.length) {
    throw new UsageError(
      `Standard input must have ${prompts.length} lines: ${prompts.join("").replaceAll(": ", ", ").replace(/, $/, "")}.`,
    );
  }
  return lines;
}

/** Asks for a line of text on a terminal. */
export async function readAnswer(
  context: Pick<Context, "stdin" | "stderr" | "signal">,
  prompt: string,
): Promise<string> {
  return (await ask(context, prompt, true)).trim();
}

/** Asks on a terminal, which shows what is typed if `shown`. Not by Node's readline: of what is pasted it shows all and keeps the first line, and the second one may be a password. */
async function ask(
  { stdin, stderr, signal }: Pick<Context, "stdin" | "stderr" | "signal">,
  prompt: string,
  shown: boolean,
): Promise<string> {
  stderr.write(prompt);
  stdin.setRawMode?.(true);
  try {
    return await typedLine(stdin, signal, shown ? (text) => stderr.write(text) : () => {});
  } finally {
    stdin.setRawMode?.(false);
    stdin.pause();
    stderr.write("\n");
  }
}

async function firstLine(stdin: Input, signal: AbortSignal): Promise<string> {
  return (await firstLines(stdin, 1, signal))[0] ?? "";
}

/** The first lines of a stream: fewer if it has no more. What comes after them in the same chunk is lost. */
async function firstLines(stdin: Input, count: number, signal: AbortSignal): Promise<string[]> {
  const chunks: Buffer[] = [];
  let length = 0;
  let lineEnds = 0;
  for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
    signal.throwIfAborted();
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    length += bytes.length;
    lineEnds += bytes.filter((byte) => byte === 0x0a).length;
    if (lineEnds >= count) break;
    if (length > maxBytes) throw new UsageError("The password on standard input is far too long.");
  }
  const text = Buffer.concat(chunks).toString("utf8");
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines.slice(0, count);
}

/** What is typed up to Enter, with the keys that people use to mend what they typed. What comes after it is the next question's. */
function typedLine(stdin: Input, signal: AbortSignal, show: (text: string) => void): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const typed: string[] = [];
  const decoder = new TextDecoder();
  let sequence: "none" | "begun" | "within" = "none";
  const erase = (count: number) => {
    for (const key of typed.splice(Math.max(0, typed.length - count))) show("\b \b".repeat(textWidth(key)));
  };
  const end = (rest: readonly string[]) => {
    stop();
    const [next] = rest;
    const others = rest.slice(next === "\n" ? 1 : 0).join("");
    if (others !== "") stdin.unshift(Buffer.from(others));
    resolve(typed.join(""));
  };
  const onData = (chunk: Uint8Array | string) => {
    const keys = [...(typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }))];
    for (const [at, key] of keys.entries()) {
      // Arrows and their like are several characters (ECMA-48, 5.4), none of which was meant.
      if (key === "\u001b") sequence = "begun";
      else if (sequence === "begun" && key >= " ") sequence = key === "[" || key === "O" ? "within" : "none";
      else if (sequence === "within" && key >= " ") sequence = key >= "@" && key <= "~" ? "none" : "within";
      else if (key === "\r" || key === "\n") return end(keys.slice(at + 1));
      else if (key === "\u0003" || (key === "\u0004" && typed.length === 0)) return reject(new Interrupted(""));
      else if (key === "\u0004") return end(keys.slice(at + 1));
      else if (key === "\u007f" || key === "\b") erase(1);
      else if (key === "\u0015") erase(typed.length);
      else if (key >= " " && typed.length < 1_000) {
        typed.push(key);
        show(printable(key));
      }
    }
  };
  const onAbort = () => reject(signal.reason);
  const onEnd = () => reject(new Interrupted(""));
  function stop(): void {
    stdin.off("data", onData);
    stdin.off("end", onEnd);
    signal.removeEventListener("abort", onAbort);
    stdin.pause();
  }
  stdin.on("data", onData);
  stdin.on("end", onEnd);
  signal.addEventListener("abort", onAbort, { once: true });
  stdin.resume();
  return promise.finally(stop);
}
