import { Role } from "@kinora/proto-user";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pruneAudit } from "../housekeeping.ts";
import { createStore } from "../store/store.ts";
import {
  faultOf,
  memoryLogger,
  type Person,
  type ServiceUnderTest,
  startServiceUnderTest,
} from "../testing/service-under-test.ts";

// ASVS 16.3.1: every authentication event is in the audit log, which nothing changes, and nothing but its age ends.

let kinora: ServiceUnderTest;
let ada: Person;
let owner: Person;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
  owner = await kinora.owner();
  ada = await kinora.join("Ada");
});
afterAll(() => kinora?.close());

const eventsOf = async (person: Person, type = "") => {
  const { events } = await kinora
    .as(owner.accessToken)
    .audit.listAuditEvents({ userId: person.id, type, pageSize: 1000 });
  return events;
};
const types = async (person: Person) => (await eventsOf(person)).map(({ type }) => type).toReversed();

describe("the log", () => {
  it("has each attempt with factor, address and device", async () => {
    const from = kinora.as(undefined, "2001:db8:1:2:3:4:5:6");
    const { email, password } = ada;
    const headers = { "user-agent": "kinora/0.1\n (evil)".replace("\n", "") };
    await faultOf(from.sessions.createSession({ email, password: "a wrong password" }, { headers }));
    await from.sessions.createSession({ email, password }, { headers });
    const [passed, failed] = await eventsOf(ada, "check");
    const shared = { address: "2001:db8:1:2::/64", device: "kinora/0.1 (evil)", details: { factor: "password" } };
    expect(passed).toMatchObject({ type: "check.passed", ...shared });
    expect(failed).toMatchObject({ type: "check.failed", ...shared });
  });

  it("has attempts that were refused, and ones at accounts that don't exist, without what was typed", async () => {
    const stranger = { email: "seventeen-swans-secret", password: "typed in the wrong field" };
    const guess = () => faultOf(kinora.as(undefined, "203.0.113.1").sessions.createSession(stranger));
    for (let attempt = 0; attempt < 12; attempt++) await guess();
    const { events } = await kinora.as(owner.accessToken).audit.listAuditEvents({ type: "check", pageSize: 12 });
    const from = events.filter(({ address }) => address === "203.0.113.1").map(({ type }) => type);
    expect(from.filter((type) => type === "check.failed").length).toBe(10);
    expect(from.filter((type) => type === "check.throttled").length).toBe(2);
    const { rows } = await kinora.database.pool.query("select e::text from audit_events e");
    expect(JSON.stringify(rows)).not.toMatch(/swans|typed/);
  });

  it("has the life of an account, to its end and beyond", async () => {
    const bob = await kinora.join("Bob");
    const own = kinora.as(bob.accessToken);
    const manage = kinora.as(owner.accessToken).users;
    const newPassword = "seventeen swans went west";
    await own.accounts.changePassword({ currentPassword: bob.password, newPassword });
    await own.accounts.exportAccount({});
    const { verificationId } = await own.accounts.requestEmailVerification({});
    const { code } = await kinora.mailbox.next(bob.email, /Confirm/);
    await own.accounts.verifyEmail({ verificationId, code });
    await manage.updateUser({ id: bob.id, user: { role: Role.ADMIN }, updateMask: { paths: ["role"] } });
    await manage.disableUser({ id: bob.id });
    await manage.enableUser({ id: bob.id });
    await manage.deleteUser({ id: bob.id });
    const seen = await types(bob);
    const expected = [
      "account.created",
      "check.passed",
      "password.changed",
      "account.exported",
      "email.verified",
      "account.role_changed",
      "account.disabled",
      "account.enabled",
      "account.deleted",
    ];
    expect(seen.filter((type) => expected.includes(type) && type !== "check.passed")).toEqual(
      expected.filter((type) => type !== "check.passed"),
    );
    const [deleted] = await eventsOf(bob, "account.deleted");
    expect(deleted).toMatchObject({ actorId: owner.id, userId: bob.id });
  });

  it.each(["update audit_events set type = 'x'", "delete from audit_events", "truncate audit_events"])(
    "refuses %s, whoever asks the database",
    async (statement) => {
      await expect(kinora.database.pool.query(statement)).rejects.toThrow("table audit_events is append-only");
    },
  );
});

describe("the end of the log", () => {
  const add = (age: string) =>
    kinora.database.pool.query(
      `insert into audit_events (time, type, address, device, details)
       values (now() - $1::interval, 'check.failed', 'here', $1, '{}')`,
      [age],
    );
  const ages = async () => {
    const { rows } = await kinora.database.pool.query("select device from audit_events where address = 'here'");
    return rows.map(({ device }) => device).toSorted();
  };

  it("goes when it is older than it is to be, is noted in the log, and nothing else goes", async () => {
    for (const age of ["400 days", "365 days", "32 days"]) await add(age);
    const store = createStore(kinora.database);
    const { logger, lines } = memoryLogger();
    const prune = (auditDays: number | undefined) =>
      pruneAudit({ store, logger, auditDays }, AbortSignal.timeout(10_000), new Date());
    await prune(undefined);
    expect(await ages()).toEqual(["32 days", "365 days", "400 days"]);
    await prune(366);
    expect(await ages()).toEqual(["32 days", "365 days"]);
    await prune(31);
    expect(await ages()).toEqual([]);
    expect(lines.map((line) => JSON.parse(line)[0].events)).toEqual([1, 2]);
    expect((await eventsOf(ada, "account.created")).length).toBe(1);
  });

  it("isn't within reach of whoever asks the database for the last month", async () => {
    await add("31 days");
    await add("29 days");
    const remove = kinora.database.pool.query("delete from audit_events where address = 'here'");
    await expect(remove).rejects.toThrow("table audit_events is append-only");
    expect(await ages()).toEqual(["29 days", "31 days"]);
  });
});

describe("ListAuditEvents", () => {
  it("shows people their own events, and everybody's to those who manage", async () => {
    const list = (person: Person, userId = "") => kinora.as(person.accessToken).audit.listAuditEvents({ userId });
    const { events } = await list(ada);
    expect(events.length).toBeGreaterThan(0);
    expect(new Set(events.map(({ userId }) => userId))).toEqual(new Set([ada.id]));
    expect((await faultOf(list(ada, owner.id))).code).toBe("NotFound");
    expect((await list(owner, ada.id)).events.length).toBe(events.length);
    expect((await faultOf(kinora.as().audit.listAuditEvents({}))).code).toBe("Unauthenticated");
  });

  it("pages, newest first, and filters by type and time", async () => {
    const { audit } = kinora.as(owner.accessToken);
    const all = (await audit.listAuditEvents({ pageSize: 1000 })).events.map(({ id }) => id);
    expect(all).toEqual(all.toSorted((a, b) => Number(b - a)));
    const seen: bigint[] = [];
    let pageToken = "";
    do {
      const page = await audit.listAuditEvents({ pageSize: 7, pageToken });
      seen.push(...page.events.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(all);
    const created = await audit.listAuditEvents({ type: "account.created" });
    expect(new Set(created.events.map(({ type }) => type))).toEqual(new Set(["account.created"]));
    const middle = created.events[0]?.time;
    if (middle === undefined) throw new Error("an event without a time");
    const [before, after] = [
      await audit.listAuditEvents({ endTime: middle, pageSize: 1000 }),
      await audit.listAuditEvents({ startTime: middle, pageSize: 1000 }),
    ];
    expect(before.events.length + after.events.length).toBe(all.length);
  });

  it.each([
    [{ pageToken: "x" }, "page_token"],
    [{ pageToken: "9".repeat(16) }, "page_token"],
    [{ type: "LOGIN'; drop" }, "type"],
    [{ userId: "me" }, "user_id"],
    [{ pageSize: 1001 }, "page_size"],
  ])("refuses %j", async (request, field) => {
    const call = kinora.as(owner.accessToken).audit.listAuditEvents(request);
    expect(await faultOf(call)).toMatchObject({ code: "InvalidArgument", fields: [field] });
  });
});
