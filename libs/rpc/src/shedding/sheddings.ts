import type { DescMethod } from "@bufbuild/protobuf";
import type { Logger } from "../logger.ts";
import type { ServiceOptions } from "../routes.ts";
import { defaultLimiterOptions, type LimiterOptions } from "./concurrency-limiter.ts";
import { createShedding, type Shedding } from "./shedding.ts";

/** Load shedding of a server's methods. */
export type Sheddings = {
  /** What refuses the calls of a unary method; undefined if they never are. */
  of(method: DescMethod): Shedding | undefined;
  /** Watches the event loop for all of them. Returns what stops it. */
  watch(): () => void;
};

/** What applies to `steadfast` methods: it is overload only when they take seconds, and there may be a fleet of callers. */
const steadfastLimits: Partial<LimiterOptions> = { maxLimit: 16_384, overloadMs: 3_000 };

/** Makes it: one limit for `steadfast` methods, one for all others, and none for `longPolls`. */
export function createSheddings(
  logger: Pick<Logger, "warn">,
  options: Pick<ServiceOptions, "longPolls" | "steadfast"> & { shedding?: Partial<LimiterOptions> | false },
): Sheddings {
  const { longPolls = [], steadfast = [], shedding } = options;
  const usual = createShedding(logger, { ...defaultLimiterOptions, ...(shedding || {}) });
  const own = steadfast.length > 0 ? createShedding(logger, steadfastLimits) : undefined;
  return {
    of: (method) => (longPolls.includes(method) ? undefined : steadfast.includes(method) ? own : usual),
    watch() {
      const stops = [usual.watch(), own?.watch()];
      return () => {
        for (const stop of stops) stop?.();
      };
    },
  };
}
