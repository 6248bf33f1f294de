import { Role } from "@kinora/proto-user";
import { expect } from "vitest";
import type { Clients, Person } from "../testing/service-under-test.ts";
import { crowdSize, goodPassword, useCrowd } from "../testing/use-crowd.ts";

const crowd = useCrowd();
const { as, one, newEmail } = crowd;

crowd.race({
  "a sign-up of one address": {
    // All are told the same, as long as they are few: whose the account is says a letter.
    winners: { from: 1, to: crowdSize },
    losers: ["ResourceExhausted"],
    async prepare() {
      const email = newEmail();
      return {
        call: (racer) => as().users.createUser({ email, name: "Racer", password: `${goodPassword} ${racer}` }),
        async after() {
          expect(await one("select count(*) as n from users where email = $1", email)).toBe(1);
          const events = `select count(*) as n from audit_events join users on users.id = user_id
            where email = $1 and type = 'account.created'`;
          expect(await one(events, email)).toBe(1);
        },
      };
    },
  },
  "an account made by an administrator": {
    losers: ["AlreadyExists"],
    async prepare() {
      const owner = await crowd.kinora.owner();
      const email = newEmail();
      return { call: () => as(owner.accessToken).users.createUser({ email, name: "Racer", password: goodPassword }) };
    },
  },
  "an owner's leave, of two who own": {
    // Who has left may say so again.
    winners: { from: 1, to: crowdSize },
    losers: ["FailedPrecondition", "Unauthenticated", "PermissionDenied"],
    async prepare() {
      const owner = await crowd.kinora.owner();
      const second = await crowd.kinora.join();
      const promote = { id: second.id, user: { role: Role.OWNER }, updateMask: { paths: ["role"] } };
      await as(owner.accessToken).users.updateUser(promote);
      const owners = [owner, await crowd.kinora.login(second.email, second.password)];
      return {
        call: (racer) => {
          const { id, accessToken } = owners[racer % 2] as Person;
          const { users } = as(accessToken);
          return racer % 4 < 2
            ? users.updateUser({ id, user: { role: Role.MEMBER }, updateMask: { paths: ["role"] } })
            : users.disableUser({ id });
        },
        async after() {
          expect(await one("select count(*) as n from users where role = 'owner' and disable_time is null")).toBe(1);
          // For the tests that follow, the first is the owner again.
          await crowd.kinora.database.pool.query("update users set role = 'member' where id = $1", [second.id]);
          await crowd.kinora.database.pool.query("update users set role = 'owner', disable_time = null where id = $1", [
            owner.id,
          ]);
        },
      };
    },
  },
  "the deletion of an account, which may be repeated": {
    winners: crowdSize,
    losers: [],
    async prepare() {
      const person = await crowd.kinora.join();
      return {
        call: () => as(person.accessToken).users.deleteUser({ id: person.id }),
        async after() {
          const events = "select count(*) as n from audit_events where user_id = $1 and type = 'account.deleted'";
          expect(await one(events, person.id)).toBe(1);
          const jobs =
            "select count(*) as n from user_queue.job where name = 'account-deletion' and data ->> 'userId' = $1";
          expect(await one(jobs, person.id)).toBe(2);
        },
      };
    },
  },
  "an account's deletion beside all that it may do": {
    winners: { from: 1, to: crowdSize },
    losers: ["Unauthenticated", "NotFound", "InvalidArgument", "Aborted"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { id, email, password, accessToken } = person;
      const shown = await crowd.resetCode(person);
      const check = { proof: { case: "password" as const, value: password } };
      const deeds: ((clients: Clients) => Promise<unknown>)[] = [
        ({ users }) => users.deleteUser({ id }),
        ({ keys }) => keys.createKey({ name: "mine", scopes: ["videos:read"] }),
        ({ factors }) => factors.startTotp({}),
        ({ factors }) => factors.startPasskey({}),
        ({ accounts }) => accounts.requestEmailVerification({}),
        ({ accounts }) => accounts.requestPasswordReset({ email }),
        ({ accounts }) => accounts.resetPassword({ ...shown, password: "eighteen swans went east" }),
        ({ accounts }) =>
          accounts.changePassword({ currentPassword: password, newPassword: "twenty swans went north" }),
        ({ sessions }) => sessions.createSession({ email, password }),
        ({ sessions }) => sessions.confirmSession({ check }),
        ({ sessions }) => sessions.endOtherSessions({}),
        ({ sessions }) => sessions.refreshSession({ refreshToken: person.refreshToken }),
        ({ accounts }) => accounts.exportAccount({}),
        ({ users }) => users.updateUser({ id, user: { name: "Other" }, updateMask: { paths: ["name"] } }),
      ];
      return {
        call: (racer) => (deeds[racer % deeds.length] as (typeof deeds)[number])(as(accessToken)),
        async after() {
          for (const table of ["sessions", "api_keys", "totp_factors", "passkey_challenges", "email_codes"]) {
            expect([table, await one(`select count(*) as n from ${table} where user_id = $1`, id)]).toEqual([table, 0]);
          }
        },
      };
    },
  },
});
