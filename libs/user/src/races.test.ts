import { BlockList } from "node:net";
import { Role, ServiceAccountKind } from "@kinora/proto-user";
import { type ClientTransport, createClientTransport, createServer, type RpcServer, trustProxies } from "@kinora/rpc";
import { createPasskeyAuthenticator } from "@kinora/testing";
import { Secret, TOTP } from "otpauth";
import { afterAll, beforeAll, expect, it } from "vitest";
import { maxPasskeys } from "./factor/factor-handlers.ts";
import { maxKeys } from "./key/api-key.ts";
import {
  type Clients,
  clientsOver,
  faultOf,
  type Person,
  type ServiceUnderTest,
  serviceToken,
  startServiceUnderTest,
} from "./testing/service-under-test.ts";

// Whatever may happen once, asked for twenty times at the same moment over sockets: it happens once, whoever loses is told so, and nothing of theirs stays. No two wait for each other.

const crowd = 20;
const password = "seventeen swans went west";
const proxies = new BlockList();
proxies.addAddress("127.0.0.1");

let kinora: ServiceUnderTest;
let server: RpcServer;
let url: string;
const transports: ClientTransport[] = [];
let made = 0;

beforeAll(async () => {
  kinora = await startServiceUnderTest({ quotaMinutes: 1 });
  server = createServer({ ...kinora.options(), interceptors: [trustProxies(proxies)] });
  ({ url } = await server.listen({ port: 0, host: "127.0.0.1" }));
});
afterAll(async () => {
  for (const transport of transports) transport.close();
  await server?.close();
  await kinora?.close();
});

/** A program at an address of its own; counts of attempts are another test's. */
function as(token?: string): Clients {
  made += 1;
  const address = `2001:db8:${made.toString(16)}::1`;
  const transport = createClientTransport({
    baseUrl: url,
    retry: false,
    timeoutMs: 50_000,
    ...(token !== undefined && { token }),
    interceptors: [
      (next) => (request) => {
        request.header.set("x-forwarded-for", address);
        return next(request);
      },
    ],
  });
  transports.push(transport);
  return clientsOver(transport);
}
const one = async (sql: string, ...values: unknown[]): Promise<number> =>
  Number((await kinora.database.pool.query<{ n: string }>(sql, values)).rows[0]?.n);
const newEmail = () => `racer${made++}@example.com`;

/** Turns an authenticator app on. */
async function enrol(person: Person) {
  const { factors } = as(person.accessToken);
  const { secret } = await factors.startTotp({});
  const app = new TOTP({ secret: Secret.fromBase32(secret) });
  const code = () => app.generate({ timestamp: kinora.now().getTime() });
  const { recoveryCodes } = await factors.confirmTotp({ code: code() });
  kinora.advance(60_000);
  return { code, recoveryCodes };
}
const site = () => createPasskeyAuthenticator("https://kinora.example");
async function resetCode({ email }: Person) {
  const { resetId } = await as().accounts.requestPasswordReset({ email });
  const { code } = await kinora.mailbox.next(email, /new password/);
  return { resetId, code };
}

type Race = {
  /** How many may win: one where it isn't said. */
  winners?: number | { from: number; to: number };
  /** What losers are told. */
  losers: string[];
  /** Makes ready; the calls, one for each of the crowd by its number, and what must hold afterwards. */
  prepare(): Promise<{ call(racer: number): Promise<unknown>; after?(): Promise<void> }>;
};

const races: Record<string, Race> = {
  "a refresh token": {
    // The program that has lost an answer gets the same one again (ASVS 10.4.5), so several may be answered, with one token.
    winners: { from: 1, to: crowd },
    losers: ["Aborted"],
    async prepare() {
      const { id, refreshToken } = await kinora.join();
      const clients = Array.from({ length: crowd }, () => as());
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
  "a code of an app, at a login": {
    losers: ["Unauthenticated", "ResourceExhausted"],
    async prepare() {
      const person = await kinora.join();
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
      const person = await kinora.join();
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
  "a login that waits for its second check": {
    losers: ["Unauthenticated", "ResourceExhausted"],
    async prepare() {
      const person = await kinora.join();
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
  "an app's confirmation": {
    losers: ["FailedPrecondition"],
    async prepare() {
      const person = await kinora.join();
      const { factors } = as(person.accessToken);
      const { secret } = await factors.startTotp({});
      const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: kinora.now().getTime() });
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
      const person = await kinora.join();
      const { factors } = as(person.accessToken);
      const { challengeId, optionsJson } = await factors.startPasskey({});
      const credentialJson = site().register(optionsJson);
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
      const person = await kinora.join();
      const { factors } = as(person.accessToken);
      const authenticator = site();
      const answers: { challengeId: string; credentialJson: string }[] = [];
      for (let n = 0; n < crowd; n++) {
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
      const person = await kinora.join();
      const { factors } = as(person.accessToken);
      const register = async () => {
        const { challengeId, optionsJson } = await factors.startPasskey({});
        return { challengeId, credentialJson: site().register(optionsJson), name: "phone" };
      };
      // Registrations that began while there was room for one more.
      const answers = await Promise.all(Array.from({ length: maxPasskeys - 1 + crowd }, register));
      // The login is one by a passkey.
      const passed = JSON.stringify([{ factor: "passkey", time: kinora.now() }]);
      await kinora.database.pool.query("update sessions set checks = $2 where user_id = $1", [person.id, passed]);
      for (const answer of answers.splice(crowd)) await factors.confirmPasskey(answer);
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
  "a login by a passkey": {
    losers: ["Unauthenticated"],
    async prepare() {
      const person = await kinora.join();
      const { factors } = as(person.accessToken);
      const authenticator = site();
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
  "a code for a new password": {
    losers: ["InvalidArgument"],
    async prepare() {
      const person = await kinora.join();
      const shown = await resetCode(person);
      return {
        call: (racer) => as().accounts.resetPassword({ ...shown, password: `${password} ${racer}` }),
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
      const person = await kinora.join();
      const shown: { resetId: string; code: string }[] = [];
      for (let n = 0; n < 4; n++) shown.push(await resetCode(person));
      return {
        call: (racer) =>
          as().accounts.resetPassword({
            resetId: "",
            code: "",
            ...shown[racer % shown.length],
            password: `${password} ${racer}`,
          }),
        after: async () =>
          expect(await one("select count(*) as n from email_codes where user_id = $1", person.id)).toBe(0),
      };
    },
  },
  "a code for another address": {
    losers: ["InvalidArgument"],
    async prepare() {
      const person = await kinora.join();
      const email = newEmail();
      const { changeId } = await as(person.accessToken).accounts.requestEmailChange({ email });
      const { code } = await kinora.mailbox.next(email, /new address/);
      return { call: () => as(person.accessToken).accounts.changeEmail({ changeId, code }) };
    },
  },
  "an address that several accounts change to": {
    losers: ["AlreadyExists"],
    async prepare() {
      const email = newEmail();
      const people: { person: Person; changeId: string; code: string }[] = [];
      for (let n = 0; n < crowd; n++) {
        const person = await kinora.join();
        const { changeId } = await as(person.accessToken).accounts.requestEmailChange({ email });
        const { code } = await kinora.mailbox.next(email, /new address/);
        people.push({ person, changeId, code });
        // Ten letters to an address in ten minutes, and here are more.
        await kinora.database.pool.query("delete from login_attempts");
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
  "an invitation": {
    losers: ["InvalidArgument", "AlreadyExists", "ResourceExhausted"],
    async prepare() {
      const owner = await kinora.owner();
      const email = newEmail();
      await as(owner.accessToken).invitations.createInvitation({ email, role: Role.ADMIN });
      const { code: invitation } = await kinora.mailbox.next(email, /invited/);
      return {
        call: () => as().users.createUser({ email, name: "Racer", password, invitation }),
        async after() {
          expect(await one("select count(*) as n from users where email = $1 and role = 'admin'", email)).toBe(1);
          expect(await one("select count(*) as n from email_codes where email = $1", email)).toBe(0);
        },
      };
    },
  },
  "invitations of one address, of which the newest stays": {
    winners: { from: 1, to: crowd },
    losers: [],
    async prepare() {
      const owner = await kinora.owner();
      const email = newEmail();
      return {
        call: () => as(owner.accessToken).invitations.createInvitation({ email }),
        after: async () => expect(await one("select count(*) as n from email_codes where email = $1", email)).toBe(1),
      };
    },
  },
  "an invitation beside sign-ups of its address": {
    // Whoever signs up without it is told what everybody is told, as long as they are few.
    winners: { from: 1, to: crowd },
    losers: ["InvalidArgument", "AlreadyExists", "ResourceExhausted"],
    async prepare() {
      const owner = await kinora.owner();
      const email = newEmail();
      await as(owner.accessToken).invitations.createInvitation({ email });
      const { code: invitation } = await kinora.mailbox.next(email, /invited/);
      return {
        call: (racer) =>
          as().users.createUser({ email, name: "Racer", password, ...(racer % 2 === 0 && { invitation }) }),
        after: async () => expect(await one("select count(*) as n from users where email = $1", email)).toBe(1),
      };
    },
  },
  "a sign-up of one address": {
    // All are told the same, as long as they are few: whose the account is says a letter.
    winners: { from: 1, to: crowd },
    losers: ["ResourceExhausted"],
    async prepare() {
      const email = newEmail();
      return {
        call: (racer) => as().users.createUser({ email, name: "Racer", password: `${password} ${racer}` }),
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
      const owner = await kinora.owner();
      const email = newEmail();
      return { call: () => as(owner.accessToken).users.createUser({ email, name: "Racer", password }) };
    },
  },
  "the name of a service account": {
    losers: ["AlreadyExists"],
    async prepare() {
      const owner = await kinora.owner();
      const name = `racer-${made++}`;
      return {
        call: () => as(owner.accessToken).keys.createServiceAccount({ name, kind: ServiceAccountKind.PROGRAM }),
      };
    },
  },
  "the deletion of a service account, which may be repeated": {
    winners: crowd,
    losers: [],
    async prepare() {
      const owner = await kinora.owner();
      const { keys } = as(owner.accessToken);
      const { serviceAccount } = await keys.createServiceAccount({
        name: `racer-${made++}`,
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
      const person = await kinora.join();
      const { key } = await as(person.accessToken).keys.createKey({ name: "mine", scopes: ["videos:read"] });
      const id = key?.id ?? "";
      return { call: () => as(person.accessToken).keys.deleteKey({ id }) };
    },
  },
  "the last key that an account may have": {
    losers: ["FailedPrecondition"],
    async prepare() {
      const person = await kinora.join();
      const { keys } = as(person.accessToken);
      for (let n = 1; n < maxKeys; n++) await keys.createKey({ name: `key ${n}`, scopes: ["videos:read"] });
      return { call: () => as(person.accessToken).keys.createKey({ name: "mine", scopes: ["videos:read"] }) };
    },
  },
  "a first exchange of a key": {
    winners: crowd,
    losers: [],
    async prepare() {
      const person = await kinora.join();
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
  "the end of everybody else's session": {
    losers: ["Unauthenticated"],
    async prepare() {
      const { id, email, password } = await kinora.join();
      const login = () => as().sessions.createSession({ email, password });
      const logins = await Promise.all(Array.from({ length: crowd }, login));
      return {
        call: (racer) => as(logins[racer]?.tokens?.accessToken).sessions.endOtherSessions({}),
        after: async () => expect(await one("select count(*) as n from sessions where user_id = $1", id)).toBe(1),
      };
    },
  },
  "an owner's leave, of two who own": {
    // Who has left may say so again.
    winners: { from: 1, to: crowd },
    losers: ["FailedPrecondition", "Unauthenticated", "PermissionDenied"],
    async prepare() {
      const owner = await kinora.owner();
      const second = await kinora.join();
      const promote = { id: second.id, user: { role: Role.OWNER }, updateMask: { paths: ["role"] } };
      await as(owner.accessToken).users.updateUser(promote);
      const owners = [owner, await kinora.login(second.email, second.password)];
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
          await kinora.database.pool.query("update users set role = 'member' where id = $1", [second.id]);
          await kinora.database.pool.query("update users set role = 'owner', disable_time = null where id = $1", [
            owner.id,
          ]);
        },
      };
    },
  },
  "the deletion of an account, which may be repeated": {
    winners: crowd,
    losers: [],
    async prepare() {
      const person = await kinora.join();
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
    winners: { from: 1, to: crowd },
    losers: ["Unauthenticated", "NotFound", "InvalidArgument", "Aborted"],
    async prepare() {
      const person = await kinora.join();
      const { id, email, password, accessToken } = person;
      const shown = await resetCode(person);
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
  "the last minute of a quota": {
    losers: ["ResourceExhausted"],
    async prepare() {
      const { id: userId } = await kinora.join();
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
    winners: crowd,
    losers: [],
    async prepare() {
      const { id: userId } = await kinora.join();
      const reservationId = crypto.randomUUID();
      return {
        call: () => as(serviceToken).quotas.reserveQuota({ reservationId, userId, seconds: 60 }),
        async after() {
          const { quotas } = as(serviceToken);
          expect((await quotas.getQuota({ userId })).reservedSeconds).toBe(60);
          await Promise.all(Array.from({ length: crowd }, () => quotas.settleQuota({ reservationId, seconds: 30 })));
          expect(await quotas.getQuota({ userId })).toMatchObject({ reservedSeconds: 0, usedSeconds: 30 });
        },
      };
    },
  },
};

const deadlocks = () => one("select deadlocks as n from pg_stat_database where datname = current_database()");

it.each(Object.entries(races))("%s", async (_, { winners = 1, losers, prepare }) => {
  const { call, after } = await prepare();
  const before = await deadlocks();
  const outcomes = await Promise.all(
    Array.from({ length: crowd }, (_, racer) =>
      call(racer).then(
        () => undefined,
        (error: unknown) => faultOf(Promise.reject(error)),
      ),
    ),
  );
  const faults = outcomes.filter((fault) => fault !== undefined);
  expect(faults.filter(({ code }) => !losers.includes(code))).toEqual([]);
  const { from, to } = typeof winners === "number" ? { from: winners, to: winners } : winners;
  const won = crowd - faults.length;
  expect(won).toBeGreaterThanOrEqual(from);
  expect(won).toBeLessThanOrEqual(to);
  await after?.();
  // What waited for each other, Postgres had to part.
  expect(await deadlocks()).toBe(before);
});
