import { Code, ConnectError } from "@connectrpc/connect";
import type { Logger } from "@kinora/rpc";

/** Logs one line when the encoder goes away and one when it is back, however many calls fail in between. */
export type Outage = { failed(error: unknown): void; ended(): void };

/** An outage log that all slots of a worker share. */
export function createOutage(logger: Logger): Outage {
  let since: number | undefined;
  return {
    failed(error) {
      if (since !== undefined) return;
      since = performance.now();
      const { code, rawMessage: reason } = ConnectError.from(error);
      if (code === Code.Unauthenticated || code === Code.PermissionDenied) {
        logger.error(
          { reason },
          "no work: the encoder refuses this worker's credential; docs/operating.md says how a worker gets its API key",
        );
      } else {
        logger.warn({ reason }, "no work: the encoder does not answer; trying again");
      }
    },
    ended() {
      if (since === undefined) return;
      logger.info({ ms: Math.round(performance.now() - since) }, "the encoder answers again");
      since = undefined;
    },
  };
}
