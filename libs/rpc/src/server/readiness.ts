import { untilAborted } from "../call/until-aborted.ts";
import type { Logger } from "../logger.ts";

/** Whether a server can take calls now. */
export type Readiness = {
  /** Why not, in words for an operator; undefined when it can. */
  problem(): Promise<string | undefined>;
};

const timeoutMs = 3_000;

/** Asks `ready` (at most once at a time, however many ask, and for 3 s) until `drain` aborts. What it throws goes to the log, not to whoever asks. */
export function createReadiness(
  ready: (() => Promise<void>) | undefined,
  drain: AbortSignal,
  logger: Logger,
): Readiness {
  let asking: Promise<string | undefined> | undefined;
  let last: string | undefined;

  async function ask(): Promise<string | undefined> {
    try {
      await untilAborted(ready?.() ?? Promise.resolve(), AbortSignal.timeout(timeoutMs));
      last = undefined;
    } catch (error) {
      const problem = "a part that this service needs doesn't answer; its log says which";
      if (last !== problem) {
        logger.warn({ err: error }, "not ready");
      }
      last = problem;
    } finally {
      asking = undefined;
    }
    return last;
  }

  return {
    async problem() {
      if (drain.aborted) {
        return "shutting down";
      }
      asking ??= ask();
      return asking;
    },
  };
}
