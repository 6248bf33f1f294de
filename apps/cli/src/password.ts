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
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
    signal.throwIfAborted();
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    length += bytes.length;
    if (bytes.includes(0x0a)) break;
    if (length > maxBytes) throw new UsageError("The password on standard input is far too long.");
  }
  const text = Buffer.concat(chunks).toString("utf8");
  return text.split(/\r?\n/, 1)[0] ?? "";
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
