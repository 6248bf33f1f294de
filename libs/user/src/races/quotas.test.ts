import { expect } from "vitest";
import { serviceToken } from "../testing/service-under-test.ts";
import { crowdSize, useCrowd } from "../testing/use-crowd.ts";

const crowd = useCrowd({ quotaMinutes: 1 });
const { as } = crowd;

crowd.race({
  "the last minute of a quota": {
    losers: ["ResourceExhausted"],
    async prepare() {
      const { id: userId } = await crowd.kinora.join();
      return {
        call: () => as(serviceToken).quotas.reserveQuota({ reservationId: crypto.randomUUID(), userId, seconds: 60 }),
        async after() {
          const { reservedSeconds } = await as(serviceToken).quotas.getQuota({ userId });
          expect(reservedSeconds).toBe(60);
        },
      };
    },
  },
  "a reservation of one name, which may be repeated": {
    winners: crowdSize,
    losers: [],
    async prepare() {
      const { id: userId } = await crowd.kinora.join();
      const reservationId = crypto.randomUUID();
      return {
        call: () => as(serviceToken).quotas.reserveQuota({ reservationId, userId, seconds: 60 }),
        async after() {
          const { quotas } = as(serviceToken);
          expect((await quotas.getQuota({ userId })).reservedSeconds).toBe(60);
          await Promise.all(
            Array.from({ length: crowdSize }, () => quotas.settleQuota({ reservationId, seconds: 30 })),
          );
          expect(await quotas.getQuota({ userId })).toMatchObject({ reservedSeconds: 0, usedSeconds: 30 });
        },
      };
    },
  },
});
