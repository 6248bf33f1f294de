import { setTimeout as sleep } from "node:timers/promises";
import type { DatabaseLogger } from "../database.ts";
import type { Postmaster } from "./postmaster.ts";

const mostFailures = 8; // in a row, with pauses that double: about half a minute
const healthyMs = 60_000;

/**
 * Starts Postgres again when it ends without having been told to (killed, out of memory). Those who use it see broken
 * connections meanwhile. After too many failures in a row it stays down, and `Database.check` says so.
 */
export function supervise(
  first: Postmaster,
  start: (signal: AbortSignal) => Promise<Postmaster>,
  logger: DatabaseLogger,
  { firstPauseMs = 100 } = {},
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const told = new Promise<string>((resolve) => {
    stopping.signal.addEventListener("abort", () => resolve("told to"), { once: true });
  });
  let current: Postmaster | undefined = first;

  const watch = async () => {
    let failures = 0;
    while (current) {
      const since = performance.now();
      const how = await Promise.race([current.exited, told]);
      if (stopping.signal.aborted) return;
      current = undefined;
      if (performance.now() - since > healthyMs) failures = 0;
      logger.error({ how }, "Postgres ended unexpectedly; starting it again");
      while (!current && failures < mostFailures) {
        await sleep(firstPauseMs * 2 ** failures++, undefined, { signal: stopping.signal }).catch(() => {});
        if (stopping.signal.aborted) return;
        current = await start(stopping.signal).catch((error: unknown) => {
          if (!stopping.signal.aborted) logger.error({ err: error }, "Postgres could not be started again");
          return undefined;
        });
      }
    }
    logger.error({}, "Postgres fails again and again; restart Kinora when its log tells why");
  };
  const watching = watch();

  return {
    async stop() {
      stopping.abort();
      await watching; // it may just be starting one
      await current?.stop();
    },
  };
}
