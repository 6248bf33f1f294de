import { ServiceAccountKind } from "@kinora/proto-user";
import { expect } from "vitest";
import { maxKeys } from "../key/api-key.ts";
import { crowdSize, useCrowd } from "../testing/use-crowd.ts";

const crowd = useCrowd();
const { as, one, newName } = crowd;

crowd.race({
  "the name of a service account": {
    losers: ["AlreadyExists"],
    async prepare() {
      const owner = await crowd.kinora.owner();
      const name = newName();
      return {
        call: () => as(owner.accessToken).keys.createServiceAccount({ name, kind: ServiceAccountKind.PROGRAM }),
      };
    },
  },
  "the deletion of a service account, which may be repeated": {
    winners: crowdSize,
    losers: [],
    async prepare() {
      const owner = await crowd.kinora.owner();
      const { keys } = as(owner.accessToken);
      const { serviceAccount } = await keys.createServiceAccount({
        name: newName(),
        kind: ServiceAccountKind.PROGRAM,
      });
      const id = serviceAccount?.id ?? "";
      return {
        call: () => as(owner.accessToken).keys.deleteServiceAccount({ id }),
        async after() {
          const events = `select count(*) as n from audit_events
            where type = 'service_account.deleted' and details ->> 'serviceAccountId' = $1`;
          expect(await one(events, id)).toBe(1);
          const jobs =
            "select count(*) as n from user_queue.job where name = 'account-deletion' and data ->> 'userId' = $1";
          expect(await one(jobs, id)).toBe(2);
        },
      };
    },
  },
  "the deletion of a key": {
    losers: ["NotFound"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { key } = await as(person.accessToken).keys.createKey({ name: "mine", scopes: ["videos:read"] });
      const id = key?.id ?? "";
      return { call: () => as(person.accessToken).keys.deleteKey({ id }) };
    },
  },
  "the last key that an account may have": {
    losers: ["FailedPrecondition"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { keys } = as(person.accessToken);
      for (let n = 1; n < maxKeys; n++) await keys.createKey({ name: `key ${n}`, scopes: ["videos:read"] });
      return { call: () => as(person.accessToken).keys.createKey({ name: "mine", scopes: ["videos:read"] }) };
    },
  },
  "a first exchange of a key": {
    winners: crowdSize,
    losers: [],
    async prepare() {
      const person = await crowd.kinora.join();
      const { secret } = await as(person.accessToken).keys.createKey({ name: "mine", scopes: ["videos:read"] });
      return {
        call: () => as().keys.exchangeKey({ key: secret }),
        after: async () => {
          const events = "select count(*) as n from audit_events where user_id = $1 and type = 'key.used_first'";
          expect(await one(events, person.id)).toBe(1);
        },
      };
    },
  },
});
