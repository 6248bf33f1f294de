import type { Context, Input } from "./context.ts";
import { Interrupted, UsageError } from "./errors.ts";

const maxBytes = 64 * 1024;

/** Asks for a password without showing it, or reads the first line of standard input when that is no terminal. */
export async function readPassword(
  { stdin, stderr, signal }: Pick<Context, "stdin" | "stderr" | "signal">,
  prompt: string,
  fromStdin: boolean,
): Promise<string> {
  if (fromStdin || !stdin.isTTY || !stdin.setRawMode) {
    const password = await firstLine(stdin, signal);
    if (password === "") throw new UsageError("No password came on standard input.");
    return password;
  }
  stderr.write(prompt);
  stdin.setRawMode(true);
  try {
    return await typedLine(stdin, signal);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
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
  { stdin, stderr, signal }: Pick<Context, "stdin" | "stderr" | "signal">,
  prompt: string,
): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    return (await lines.question(prompt, { signal })).trim();
  } catch (error) {
    stderr.write("\n");
    signal.throwIfAborted();
    throw (error as Error).name === "AbortError" ? new Interrupted("") : error; // Ctrl-C, which readline takes for itself
  } finally {
    lines.close();
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

/** What is typed up to Enter, with the keys that people use to mend what they typed. */
function typedLine(stdin: Input, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let typed: string[] = [];
  const decoder = new TextDecoder();
  const onData = (chunk: Uint8Array | string) => {
    for (const key of typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true })) {
      if (key === "\r" || key === "\n" || key === "\u0004") return resolve(typed.join(""));
      if (key === "\u0003") return reject(new Interrupted(""));
      if (key === "\u007f" || key === "\b") typed.pop();
      else if (key === "\u0015") typed = [];
      else if (key >= " " && typed.length < 1_000) typed.push(key);
    }
  };
  const onAbort = () => reject(signal.reason);
  const onEnd = () => reject(new Interrupted(""));
  stdin.on("data", onData);
  stdin.on("end", onEnd);
  signal.addEventListener("abort", onAbort, { once: true });
  stdin.resume();
  return promise.finally(() => {
    stdin.off("data", onData);
    stdin.off("end", onEnd);
    signal.removeEventListener("abort", onAbort);
  });
}
