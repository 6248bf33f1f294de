export const budgetSettings = {
  /** What there is at first, in retries. */
  first: 10,
  /** What a success gives back. */
  perSuccess: 0.1,
  /** What can be saved up at most: enough for the calls that break off together when a busy server dies. */
  most: 100,
};

/** Bounds how many calls are made on top of those that were asked for. */
export type Budget = {
  /** A call went well. */
  earn(): void;
  /** Takes the price of one more attempt; false if there isn't that much left. */
  spend(): boolean;
};

/**
 * A token bucket, as the throttling of gRFC A6 (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#throttling-retry-attempts-and-hedged-rpcs): retries, hedged
 * calls included, are never more than `first` + a tenth of the calls that went well. A server that fails always gets no more calls than without retries, but those few.
 */
export function createBudget(settings = budgetSettings): Budget {
  // In parts of a retry, as whole numbers: tenths don't add up to one.
  const price = 1_000_000;
  const reward = Math.round(settings.perSuccess * price);
  const most = settings.most * price;
  let tokens = settings.first * price;
  return {
    earn() {
      if (tokens < most) {
        tokens = Math.min(most, tokens + reward);
      }
    },
    spend() {
      if (tokens < price) {
        return false;
      }
      tokens -= price;
      return true;
    },
  };
}
