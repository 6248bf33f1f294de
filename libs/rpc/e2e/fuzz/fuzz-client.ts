import { fork } from "node:child_process";
import { once } from "node:events";
import type { ClientNews } from "./client-child.ts";
import { type FuzzOptions, failure, type Outcome } from "./outcome.ts";

// Garbage that only the collector sees may end a process long after its case.
const remembered = 200;

/**
 * Calls a server that sends rubbish. Every call has to settle in time, if it fails then with a ConnectError, no promise may be rejected unseen, a closed transport has to leave no
 * connection, and the process has to live.
 */
export async function fuzzClient(options: FuzzOptions): Promise<Outcome> {
  const child = fork(new URL("./client-child.ts", import.meta.url), { stdio: ["ignore", "inherit", "pipe", "ipc"] });
  const recent = new Map<number, string>();
  let outcome: Outcome | undefined;
  let complaints = "";
  child.stderr?.on("data", (chunk) => {
    complaints = (complaints + String(chunk)).slice(0, 10_000);
  });
  child.on("message", (news: ClientNews) => {
    if ("cases" in news) {
      outcome = news;
      return;
    }
    recent.delete(news.index);
    recent.set(news.index, news.bytes);
    for (const index of recent.keys()) {
      if (recent.size <= remembered) {
        break;
      }
      recent.delete(index);
    }
  });
  child.send(options);
  const [code, signal] = await once(child, "exit");
  if (outcome !== undefined) {
    return outcome;
  }
  const what = `the client's process ended (${signal ?? code}): ${complaints}`;
  const last = [...recent].map(([index, bytes]) =>
    failure("one of the last", options, "client", index, Buffer.from(bytes, "hex")),
  );
  return { cases: recent.size, failures: [what, ...last] };
}
