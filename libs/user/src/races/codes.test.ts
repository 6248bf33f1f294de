import { describe, expect } from "vitest";
import { faultOf, type Person } from "../testing/service-under-test.ts";
import { crowdSize, goodPassword, useCrowd } from "../testing/use-crowd.ts";

const crowd = useCrowd();
const { as, one, newEmail } = crowd;

crowd.race({
  "a code for a new password": {
    losers: ["InvalidArgument"],
    async prepare() {
      const person = await crowd.kinora.join();
      const shown = await crowd.resetCode(person);
      return {
        call: (racer) => as().accounts.resetPassword({ ...shown, password: `${goodPassword} ${racer}` }),
        async after() {
          const type = "select count(*) as n from audit_events where user_id = $1 and type = 'password.reset'";
          expect(await one(type, person.id)).toBe(1);
          expect(await one("select count(*) as n from sessions where user_id = $1", person.id)).toBe(0);
        },
      };
    },
  },
  "several codes for a new password, one of which ends the others": {
    losers: ["InvalidArgument"],
    async prepare() {
      const person = await crowd.kinora.join();
      const shown: { resetId: string; code: string }[] = [];
      for (let n = 0; n < 4; n++) shown.push(await crowd.resetCode(person));
      return {
        call: (racer) =>
          as().accounts.resetPassword({
            resetId: "",
            code: "",
            ...shown[racer % shown.length],
            password: `${goodPassword} ${racer}`,
          }),
        after: async () =>
          expect(await one("select count(*) as n from email_codes where user_id = $1", person.id)).toBe(0),
      };
    },
  },
  "a code for another address": {
    losers: ["InvalidArgument"],
    async prepare() {
      const person = await crowd.kinora.join();
      const email = newEmail();
      const { changeId } = await as(person.accessToken).accounts.requestEmailChange({ email });
      const { code } = await crowd.kinora.mailbox.next(email, /new address/);
      return { call: () => as(person.accessToken).accounts.changeEmail({ changeId, code }) };
    },
  },
  "an address that several accounts change to": {
    losers: ["AlreadyExists"],
    async prepare() {
      const email = newEmail();
      const people: { person: Person; changeId: string; code: string }[] = [];
      for (let n = 0; n < crowdSize; n++) {
        const person = await crowd.kinora.join();
        const { changeId } = await as(person.accessToken).accounts.requestEmailChange({ email });
        const { code } = await crowd.kinora.mailbox.next(email, /new address/);
        people.push({ person, changeId, code });
        // Ten letters to an address in ten minutes, and here are more.
        await crowd.kinora.database.pool.query("delete from login_attempts");
      }
      return {
        call: (racer) => {
          const { person, changeId, code } = people[racer] as (typeof people)[number];
          return as(person.accessToken).accounts.changeEmail({ changeId, code });
        },
        after: async () => expect(await one("select count(*) as n from users where email = $1", email)).toBe(1),
      };
    },
  },
  "a code that confirms one's address": {
    losers: ["InvalidArgument"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { verificationId } = await as(person.accessToken).accounts.requestEmailVerification({});
      const { code } = await crowd.kinora.mailbox.next(person.email, /Confirm your address/);
      return {
        call: () => as(person.accessToken).accounts.verifyEmail({ verificationId, code }),
        async after() {
          const events = "select count(*) as n from audit_events where user_id = $1 and type = 'email.verified'";
          expect(await one(events, person.id)).toBe(1);
        },
      };
    },
  },
  "guesses at a code, of which it bears five": {
    winners: 0,
    losers: ["InvalidArgument"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { resetId, code } = await crowd.resetCode(person);
      const wrong = String((Number(code) + 1) % 100_000_000).padStart(8, "0");
      return {
        call: () => as().accounts.resetPassword({ resetId, code: wrong, password: goodPassword }),
        async after() {
          expect(await one("select guesses as n from email_codes where id = $1", resetId)).toBe(5);
          const right = as().accounts.resetPassword({ resetId, code, password: goodPassword });
          expect((await faultOf(right)).code).toBe("InvalidArgument");
        },
      };
    },
  },
  "changes of a password, by sessions that each end the others": {
    losers: ["Unauthenticated", "ResourceExhausted"],
    async prepare() {
      const { id, email, password } = await crowd.kinora.join();
      const login = () => as().sessions.createSession({ email, password });
      const logins = await Promise.all(Array.from({ length: crowdSize }, login));
      return {
        call: (racer) =>
          as(logins[racer]?.tokens?.accessToken).accounts.changePassword({
            currentPassword: password,
            newPassword: `${goodPassword} ${racer}`,
          }),
        async after() {
          expect(await one("select count(*) as n from sessions where user_id = $1", id)).toBe(1);
          const events = "select count(*) as n from audit_events where user_id = $1 and type = 'password.changed'";
          expect(await one(events, id)).toBe(1);
        },
      };
    },
  },
  "a change of the password by whoever knows the old one, beside the owner's reset": {
    // Whoever is first ends the other's way: sessions, or the code.
    losers: ["Unauthenticated", "InvalidArgument", "ResourceExhausted"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { email, password } = person;
      const shown = await crowd.resetCode(person);
      const login = () => as().sessions.createSession({ email, password });
      const logins = await Promise.all(Array.from({ length: crowdSize }, login));
      return {
        call: (racer) =>
          racer === 7
            ? as().accounts.resetPassword({ ...shown, password: goodPassword })
            : as(logins[racer]?.tokens?.accessToken).accounts.changePassword({
                currentPassword: password,
                newPassword: `${goodPassword} ${racer}`,
              }),
      };
    },
  },
});

describe("where an account begins when its address is confirmed,", () => {
  const crowd = useCrowd({ verifyEmail: true });
  const { as, one, newEmail } = crowd;
  const signUp = async (email: string) => {
    const request = { email, name: "Racer", password: goodPassword };
    const { verificationId } = await as().users.createUser(request);
    const { code } = await crowd.kinora.mailbox.next(email, /Confirm your address/);
    return { verificationId, code };
  };
  const accounts = (email: string) => one("select count(*) as n from users where email = $1", email);

  crowd.race({
    "the code of a sign-up": {
      losers: ["InvalidArgument"],
      async prepare() {
        const email = newEmail();
        const shown = await signUp(email);
        return {
          call: () => as().accounts.verifySignUp(shown),
          async after() {
            expect(await accounts(email)).toBe(1);
            const events = `select count(*) as n from audit_events join users on users.id = user_id
              where email = $1 and type = 'account.created'`;
            expect(await one(events, email)).toBe(1);
          },
        };
      },
    },
    "the codes of several sign-ups of one address": {
      losers: ["InvalidArgument", "AlreadyExists"],
      async prepare() {
        const email = newEmail();
        const shown = [await signUp(email), await signUp(email), await signUp(email), await signUp(email)];
        return {
          call: (racer) => as().accounts.verifySignUp({ verificationId: "", code: "", ...shown[racer % 4] }),
          after: async () => expect(await accounts(email)).toBe(1),
        };
      },
    },
  });
});
