import { expect } from "vitest";
import { crowdSize, goodPassword, useCrowd } from "../testing/use-crowd.ts";

const crowd = useCrowd();
const { as, one, enrol, newAuthenticator } = crowd;

crowd.race({
  "a refresh token": {
    // The program that has lost an answer gets the same one again (ASVS 10.4.5), so several may be answered, with one token.
    winners: { from: 1, to: crowdSize },
    losers: ["Aborted"],
    async prepare() {
      const { id, refreshToken } = await crowd.kinora.join();
      const clients = Array.from({ length: crowdSize }, () => as());
      const tokens = new Set<string>();
      return {
        async call(racer) {
          const answer = await clients[racer]?.sessions.refreshSession({ refreshToken });
          tokens.add(answer?.tokens?.refreshToken ?? "");
        },
        async after() {
          expect(await one("select count(*) as n from sessions where user_id = $1", id)).toBe(1);
          const [next = "", ...others] = tokens;
          expect(others).toEqual([]);
          await as().sessions.refreshSession({ refreshToken: next });
        },
      };
    },
  },
  "a login that waits for its second check": {
    losers: ["Unauthenticated", "ResourceExhausted"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { recoveryCodes } = await enrol(person);
      const { email, password } = person;
      const { checkToken } = await as().sessions.createSession({ email, password });
      // Each with a code of its own, so that all of the checks pass.
      return {
        call: (racer) =>
          as().sessions.addCheck({
            checkToken,
            check: { proof: { case: "recoveryCode", value: recoveryCodes[racer % 10] ?? "" } },
          }),
        after: async () =>
          expect(await one("select count(*) as n from sessions where user_id = $1", person.id)).toBe(2),
      };
    },
  },
  "a code of an app, at a login": {
    losers: ["Unauthenticated", "ResourceExhausted"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { code } = await enrol(person);
      const proof = { case: "totpCode" as const, value: code() };
      const { email, password } = person;
      return {
        call: () => as().sessions.createSession({ email, password, second: { proof } }),
        after: async () =>
          expect(await one("select count(*) as n from sessions where user_id = $1", person.id)).toBe(2),
      };
    },
  },
  "a recovery code": {
    losers: ["Unauthenticated", "ResourceExhausted"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { recoveryCodes } = await enrol(person);
      const proof = { case: "recoveryCode" as const, value: recoveryCodes[0] ?? "" };
      const { email, password } = person;
      return {
        call: () => as().sessions.createSession({ email, password, second: { proof } }),
        async after() {
          expect(await one("select count(*) as n from recovery_codes where user_id = $1", person.id)).toBe(9);
          expect(await one("select count(*) as n from sessions where user_id = $1", person.id)).toBe(2);
        },
      };
    },
  },
  "a login by a passkey": {
    losers: ["Unauthenticated"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { factors } = as(person.accessToken);
      const authenticator = newAuthenticator();
      const { challengeId, optionsJson } = await factors.startPasskey({});
      const credentialJson = authenticator.register(optionsJson);
      await factors.confirmPasskey({ challengeId, credentialJson, name: "phone" });
      const asked = await as().sessions.createPasskeyChallenge({});
      const passkey = { challengeId: asked.challengeId, responseJson: authenticator.login(asked.optionsJson) };
      return {
        call: () => as().sessions.createSession({ passkey }),
        after: async () =>
          expect(await one("select count(*) as n from sessions where user_id = $1", person.id)).toBe(2),
      };
    },
  },
  "the end of everybody else's session": {
    losers: ["Unauthenticated"],
    async prepare() {
      const { id, email, password } = await crowd.kinora.join();
      const login = () => as().sessions.createSession({ email, password });
      const logins = await Promise.all(Array.from({ length: crowdSize }, login));
      return {
        call: (racer) => as(logins[racer]?.tokens?.accessToken).sessions.endOtherSessions({}),
        after: async () => expect(await one("select count(*) as n from sessions where user_id = $1", id)).toBe(1),
      };
    },
  },
  "a login with the old password beside the new one": {
    // Whoever logged in before is out; whoever was about to, isn't let in.
    winners: { from: 1, to: crowdSize },
    losers: ["Unauthenticated", "ResourceExhausted"],
    async prepare() {
      const person = await crowd.kinora.join();
      const { email, password } = person;
      const shown = await crowd.resetCode(person);
      return {
        call: (racer) =>
          racer === 7
            ? as().accounts.resetPassword({ ...shown, password: goodPassword })
            : as().sessions.createSession({ email, password }),
        async after() {
          expect(await one("select count(*) as n from sessions where user_id = $1", person.id)).toBe(0);
          await as().sessions.createSession({ email, password: goodPassword });
        },
      };
    },
  },
  "the first step of a login with the old password beside the new one": {
    winners: { from: 1, to: crowdSize },
    losers: ["Unauthenticated", "ResourceExhausted"],
    async prepare() {
      const person = await crowd.kinora.join();
      await enrol(person);
      const { email, password } = person;
      const shown = await crowd.resetCode(person);
      return {
        call: (racer) =>
          racer === 7
            ? as().accounts.resetPassword({ ...shown, password: goodPassword })
            : as().sessions.createSession({ email, password }),
        after: async () =>
          expect(await one("select count(*) as n from pending_sessions where user_id = $1", person.id)).toBe(0),
      };
    },
  },
  "a login beside its account's end, for now": {
    winners: { from: 1, to: crowdSize },
    losers: ["Unauthenticated", "PermissionDenied", "ResourceExhausted"],
    async prepare() {
      const owner = await crowd.kinora.owner();
      const { id, email, password } = await crowd.kinora.join();
      return {
        call: (racer) =>
          racer === 7
            ? as(owner.accessToken).users.disableUser({ id })
            : as().sessions.createSession({ email, password }),
        after: async () => expect(await one("select count(*) as n from sessions where user_id = $1", id)).toBe(0),
      };
    },
  },
});
