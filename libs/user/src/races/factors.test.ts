import { Secret, TOTP } from "otpauth";
import { expect } from "vitest";
import { maxPasskeys } from "../factor/factor-handlers.ts";
import type { Person } from "../testing/service-under-test.ts";
import { crowdSize, useCrowd } from "../testing/use-crowd.ts";

const crowd = useCrowd();
const { as, one, enrol, newAuthenticator } = crowd;

crowd.race({
  "an app's confirmation": {
    losers: ["FailedPrecondition"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { factors } = as(person.accessToken);
      const { secret } = await factors.startTotp({});
      const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({
        timestamp: crowd.kinora.now().getTime(),
      });
      return {
        call: () => as(person.accessToken).factors.confirmTotp({ code }),
        async after() {
          expect(await one("select count(*) as n from recovery_codes where user_id = $1", person.id)).toBe(10);
          const events = "select count(*) as n from audit_events where user_id = $1 and type = 'factor.added'";
          expect(await one(events, person.id)).toBe(1);
        },
      };
    },
  },
  "a registration of a passkey": {
    losers: ["InvalidArgument"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { factors } = as(person.accessToken);
      const { challengeId, optionsJson } = await factors.startPasskey({});
      const credentialJson = newAuthenticator().register(optionsJson);
      return {
        call: () => as(person.accessToken).factors.confirmPasskey({ challengeId, credentialJson, name: "phone" }),
        after: async () =>
          expect(await one("select count(*) as n from passkeys where user_id = $1", person.id)).toBe(1),
      };
    },
  },
  "one passkey by many challenges": {
    // With a passkey on, a login by the password alone isn't complete any more.
    losers: ["AlreadyExists", "FailedPrecondition"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { factors } = as(person.accessToken);
      const authenticator = newAuthenticator();
      const answers: { challengeId: string; credentialJson: string }[] = [];
      for (let n = 0; n < crowdSize; n++) {
        const { challengeId, optionsJson } = await factors.startPasskey({});
        answers.push({ challengeId, credentialJson: authenticator.register(optionsJson) });
      }
      return {
        call: (racer) =>
          as(person.accessToken).factors.confirmPasskey({
            challengeId: "",
            credentialJson: "",
            ...answers[racer],
            name: "phone",
          }),
      };
    },
  },
  "the last passkey that an account may have": {
    losers: ["FailedPrecondition"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { factors } = as(person.accessToken);
      const register = async () => {
        const { challengeId, optionsJson } = await factors.startPasskey({});
        return { challengeId, credentialJson: newAuthenticator().register(optionsJson), name: "phone" };
      };
      // Registrations that began while there was room for one more.
      const answers = await Promise.all(Array.from({ length: maxPasskeys - 1 + crowdSize }, register));
      // The login is one by a passkey.
      await completeLogin(person, ["passkey"]);
      for (const answer of answers.splice(crowdSize)) await factors.confirmPasskey(answer);
      return {
        call: (racer) =>
          as(person.accessToken).factors.confirmPasskey({
            challengeId: "",
            credentialJson: "",
            name: "",
            ...answers[racer],
          }),
        after: async () =>
          expect(await one("select count(*) as n from passkeys where user_id = $1", person.id)).toBe(maxPasskeys),
      };
    },
  },
  "new recovery codes, of which the last ones stay": {
    winners: crowdSize,
    losers: [],
    async prepare() {
      const person = await crowd.kinora.join();
      await enrol(person);
      const { email, password } = person;
      const sets: string[][] = [];
      // With an app on, the login is one by both.
      await completeLogin(person, ["password", "totp"]);
      return {
        call: async () => sets.push((await as(person.accessToken).factors.createRecoveryCodes({})).recoveryCodes),
        async after() {
          expect(await one("select count(*) as n from recovery_codes where user_id = $1", person.id)).toBe(10);
          const good = [];
          for (const [code = ""] of sets) {
            const second = { proof: { case: "recoveryCode" as const, value: code } };
            const login = await as()
              .sessions.createSession({ email, password, second })
              .catch(() => undefined);
            await crowd.kinora.database.pool.query("delete from login_attempts");
            if (login !== undefined) good.push(code);
          }
          expect(good).toHaveLength(1);
        },
      };
    },
  },
  "the removal of an app, which may be repeated": {
    winners: { from: 1, to: crowdSize },
    losers: [],
    async prepare() {
      const person = await crowd.kinora.join();
      await enrol(person);
      await completeLogin(person, ["password", "totp"]);
      return {
        call: () => as(person.accessToken).factors.removeTotp({}),
        async after() {
          const events = "select count(*) as n from audit_events where user_id = $1 and type = 'factor.removed'";
          expect(await one(events, person.id)).toBe(1);
          expect(await one("select count(*) as n from recovery_codes where user_id = $1", person.id)).toBe(0);
        },
      };
    },
  },
  "a password that is short beside an app, and the app's removal": {
    winners: { from: 1, to: crowdSize },
    losers: ["FailedPrecondition", "InvalidArgument", "Unauthenticated", "ResourceExhausted"],
    async prepare() {
      const person = await crowd.kinora.join();
      await enrol(person);
      await completeLogin(person, ["password", "totp"]);
      const change = { currentPassword: person.password, newPassword: "zq5Wm0rT" };
      return {
        call: (racer) =>
          racer % 2 === 0
            ? as(person.accessToken).accounts.changePassword(change)
            : as(person.accessToken).factors.removeTotp({}),
        async after() {
          const alone = `select count(*) as n from users where id = $1 and password_short
            and not exists (select from totp_factors where user_id = users.id)`;
          expect(await one(alone, person.id)).toBe(0);
        },
      };
    },
  },
});

/** As if the login had been by all of these. */
async function completeLogin(person: Person, factors: string[]): Promise<void> {
  const checks = JSON.stringify(factors.map((factor) => ({ factor, time: crowd.kinora.now() })));
  await crowd.kinora.database.pool.query("update sessions set checks = $2 where user_id = $1", [person.id, checks]);
}
