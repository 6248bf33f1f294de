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

/** What applies to `queued` methods: their queue is the limit, and this one is for when everything else is slow as well. */
const queuedLimits: Partial<LimiterOptions> = { overloadMs: 3_000 };

/** Makes it: a limit for `steadfast` methods, one for `queued` ones, one for all others, and none for `longPolls`. */
export function createSheddings(
  logger: Pick<Logger, "warn">,
  options: Pick<ServiceOptions, "longPolls" | "steadfast" | "queued"> & {
    shedding?: Partial<LimiterOptions> | false;
  },
): Sheddings {
  const { longPolls = [], steadfast = [], queued = [], shedding } = options;
  const usual = createShedding(logger, { ...defaultLimiterOptions, ...(shedding || {}) });
  const own = [
    { methods: steadfast, shedding: createShedding(logger, steadfastLimits) },
    { methods: queued, shedding: createShedding(logger, queuedLimits) },
  ].filter(({ methods }) => methods.length > 0);
  return {
    of: (method) =>
      longPolls.includes(method) ? undefined : (own.find(({ methods }) => methods.includes(method))?.shedding ?? usual),
    watch() {
      const stops = [usual, ...own.map(({ shedding }) => shedding)].map((each) => each.watch());
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
