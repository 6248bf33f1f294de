import { AsyncLocalStorage } from "node:async_hooks";
import { Role } from "@kinora/proto-user";
import { Secret, TOTP } from "otpauth";
import type { PoolClient } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "./testing/service-under-test.ts";

// A database that goes away in mid-transaction: each flow is cut off before each of its statements, COMMIT among them, by ending its connection at the server; and after each, so that
// the statement is done and its answer lost.

let kinora: ServiceUnderTest;
let owner: Person;
type Lost = "a statement" | "an answer";
/** How many statements of the flow under way come through, and what of the next one doesn't. */
const cut = new AsyncLocalStorage<{ left: number; lost: Lost }>();

beforeAll(async () => {
  kinora = await startServiceUnderTest();
  const wrapped = new WeakSet<PoolClient>();
  kinora.database.pool.on("acquire", (client) => {
    if (wrapped.has(client)) return;
    wrapped.add(client);
    const query = client.query.bind(client) as (...parts: unknown[]) => unknown;
    Object.assign(client, {
      query(...parts: unknown[]) {
        const flow = cut.getStore();
        if (flow === undefined || flow.left-- !== 0) return query(...parts);
        const end = () => query("select pg_terminate_backend(pg_backend_pid())");
        return flow.lost === "a statement" ? end() : Promise.resolve(query(...parts)).then(end);
      },
    });
  });
  owner = await kinora.owner();
});
afterAll(() => kinora?.close());

/** All that a flow may change, but for what is committed by itself on purpose: counts of attempts, and the events of attempts. */
async function state(): Promise<Record<string, unknown[]>> {
  const tables = {
    users: "select id, email, name, role, password_hash, disable_time from users order by id",
    deleted: "select id from deleted_users order by id",
    sessions: "select id, checks, refresh_time from sessions order by id",
    pending: "select id from pending_sessions order by id",
    tokens: "select token_hash, use_time from refresh_tokens order by token_hash",
    keys: "select id from api_keys order by id",
    codes: "select id from email_codes order by id",
    events:
      "select id, type, user_id from audit_events where not starts_with(type, 'check.') and type <> 'password.reset_failed' order by id",
    jobs: "select name, count(*)::int from user_queue.job group by name order by name",
  };
  const found: Record<string, unknown[]> = {};
  for (const [name, text] of Object.entries(tables)) found[name] = (await kinora.database.pool.query(text)).rows;
  return found;
}

let made = 0;
const password = "seventeen swans went west";
/** Machines that run tests may be busy. */
const patient = { timeoutMs: 50_000 };

type Flow = {
  /** The tables of `state` that it changes. */
  changes: string[];
  /** Makes ready, and answers the call; it is told how often it was made before. */
  prepare(person: Person): Promise<(before: number) => Promise<unknown>>;
  /** How a repetition is refused where all is done and only the answer was lost; it is good again if nothing is said. */
  done?: string;
};

const flows: Record<string, Flow> = {
  "a sign-up": {
    changes: ["events", "jobs", "users"],
    async prepare() {
      const email = `new${made++}@example.com`;
      return () =>
        kinora.as(undefined, `198.51.100.${made % 250}`).users.createUser({ email, name: "New", password }, patient);
    },
  },
  "a login": {
    changes: ["events", "sessions", "tokens"],
    async prepare({ email, password }) {
      return () => kinora.as().sessions.createSession({ email, password }, patient);
    },
  },
  "a login's second check": {
    changes: ["events", "pending", "sessions", "tokens"],
    done: "Unauthenticated", // what was to be completed is
    async prepare({ email, password, accessToken }) {
      const { factors } = kinora.as(accessToken);
      const { secret } = await factors.startTotp({});
      const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: kinora.now().getTime() });
      const { recoveryCodes } = await factors.confirmTotp({ code });
      const { checkToken } = await kinora.as().sessions.createSession({ email, password });
      // A code is used up by being looked at, whatever comes of the rest: the next try shows the next one.
      return (before) => {
        const check = { proof: { case: "recoveryCode" as const, value: recoveryCodes[before] ?? "" } };
        return kinora.as().sessions.addCheck({ checkToken, check }, patient);
      };
    },
  },
  "a confirmation of a login": {
    changes: ["events", "sessions", "tokens"],
    async prepare({ accessToken, password }) {
      const check = { proof: { case: "password" as const, value: password } };
      return () => kinora.as(accessToken).sessions.confirmSession({ check }, patient);
    },
  },
  "a refresh": {
    changes: ["sessions", "tokens"],
    async prepare({ refreshToken }) {
      return () => kinora.as().sessions.refreshSession({ refreshToken }, patient);
    },
  },
  "the end of other sessions": {
    changes: ["events", "sessions", "tokens"],
    async prepare({ email, password, accessToken }) {
      await kinora.login(email, password);
      return () => kinora.as(accessToken).sessions.endOtherSessions({}, patient);
    },
  },
  "a change of password": {
    done: "Unauthenticated", // the current password is the new one
    changes: ["events", "jobs", "sessions", "tokens", "users"],
    async prepare({ email, password: before, accessToken }) {
      await kinora.login(email, before);
      const change = { currentPassword: before, newPassword: password };
      return () => kinora.as(accessToken).accounts.changePassword(change, patient);
    },
  },
  "a reset of a password": {
    done: "InvalidArgument", // the code is used, and the new password is good
    changes: ["codes", "events", "jobs", "sessions", "tokens", "users"],
    async prepare({ email }) {
      const { resetId } = await kinora.as().accounts.requestPasswordReset({ email });
      const { code } = await kinora.mailbox.next(email, /Reset|reset|password/);
      const from = kinora.as(undefined, `203.0.113.${made++ % 250}`);
      return () => from.accounts.resetPassword({ resetId, code, password }, patient);
    },
  },
  "a request of a code": {
    changes: ["codes", "jobs"],
    async prepare({ accessToken }) {
      const from = kinora.as(accessToken, `203.0.113.${made++ % 250}`);
      return () => from.accounts.requestEmailVerification({}, patient);
    },
  },
  "a change of role": {
    changes: ["events", "users"],
    async prepare({ id }) {
      const change = { id, user: { role: Role.ADMIN }, updateMask: { paths: ["role"] } };
      return () => kinora.as(owner.accessToken).users.updateUser(change, patient);
    },
  },
  "a disabled account": {
    changes: ["events", "sessions", "tokens", "users"],
    async prepare({ id }) {
      return () => kinora.as(owner.accessToken).users.disableUser({ id }, patient);
    },
  },
  "a new API key": {
    changes: ["events", "keys"],
    async prepare({ accessToken }) {
      return () => kinora.as(accessToken).keys.createKey({ name: "mine", scopes: ["videos:read"] }, patient);
    },
  },
  "the deletion of an account": {
    changes: ["deleted", "events", "jobs", "sessions", "tokens", "users"],
    async prepare({ id, accessToken }) {
      return () => kinora.as(accessToken).users.deleteUser({ id }, patient);
    },
  },
};

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    async (error: unknown) => (await faultOf(Promise.reject(error))).code,
  );

const cases = Object.entries(flows).flatMap(([name, flow]) =>
  (["a statement", "an answer"] as const).map((lost) => ({ name, lost, flow })),
);

it.each(cases)(
  "$name happens altogether or not at all, wherever the database goes away with $lost",
  async ({ lost, flow: { changes, prepare, done } }) => {
    for (let statements = 0; ; statements++) {
      const act = await prepare(await kinora.join("Ada"));
      const before = await state();
      const flowing = { left: statements, lost };
      const fault = await cut.run(flowing, () => codeOf(act(0)));
      const after = await state();
      const changed = Object.keys(after).filter(
        (table) => JSON.stringify(after[table]) !== JSON.stringify(before[table]),
      );
      if (fault !== undefined) {
        expect([statements, fault]).toEqual([statements, "Unavailable"]);
        const committed = lost === "an answer" && changed.length > 0;
        expect([statements, changed.toSorted()]).toEqual([statements, committed ? changes : []]);
        expect([statements, await codeOf(act(1))]).toEqual([statements, committed ? done : undefined]);
        continue;
      }
      // Whoever is told that it is done finds it so, also where something afterwards was cut off.
      expect([statements, changed.toSorted()]).toEqual([statements, changes]);
      if (flowing.left >= 0) {
        expect(statements).toBeGreaterThan(1);
        return;
      }
    }
  },
  240_000,
);
