import { setTimeout as sleep } from "node:timers/promises";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@kinora/proto-common";
import { DomainError } from "../domain-error.ts";
import type { Routes } from "../routes.ts";
import type { Readiness } from "./readiness.ts";

const pollMs = 2_000;

/**
 * `grpc.health.v1.Health` for the whole server ("") and each of its services, which are all as ready as the server. Watchers hear NOT_SERVING when the
 * server starts to close; then their streams end.
 */
export function createHealth(services: readonly string[], readiness: Readiness, drain: AbortSignal): Routes {
  const known = new Set(["", ...services]);
  const status = async (service: string) => {
    if (!known.has(service)) {
      return Status.SERVICE_UNKNOWN;
    }
    return (await readiness.problem()) === undefined ? Status.SERVING : Status.NOT_SERVING;
  };
  return (router) => {
    router.service(Health, {
      async check({ service }) {
        const answer = await status(service);
        if (answer === Status.SERVICE_UNKNOWN) {
          throw new DomainError("not_found", `this server has no service ${JSON.stringify(service)}`);
        }
        return { status: answer };
      },
      async *watch({ service }, { signal }) {
        const wake = AbortSignal.any([signal, drain]);
        let sent: Status | undefined;
        while (!signal.aborted) {
          const now = await status(service);
          if (now !== sent) {
            sent = now;
            yield { status: now };
          }
          if (drain.aborted) {
            return;
          }
          await sleep(pollMs, undefined, { signal: wake, ref: false }).catch(() => {});
        }
      },
    });
  };
}
