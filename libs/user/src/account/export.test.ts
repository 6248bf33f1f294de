import { afterAll, beforeAll, expect, it } from "vitest";
import { type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";
import { exportedTables, withheldTables } from "./export.ts";

let kinora: ServiceUnderTest;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
});
afterAll(() => kinora?.close());

it("has every table that names people", async () => {
  const { rows } = await kinora.database.pool.query<{ table: string }>(
    `select distinct table_name as "table" from information_schema.columns
     where table_schema = current_schema() and (column_name in ('user_id', 'owner_id') or table_name = 'users')`,
  );
  const known = [...Object.keys(exportedTables), ...withheldTables];
  expect(rows.map(({ table }) => table).filter((table) => !known.includes(table))).toEqual([]);
});

it("gives people what is theirs, and no secret or anybody else's", async () => {
  const ada = await kinora.join("Ada");
  const bob = await kinora.join("Bob");
  const { json } = await kinora.as(ada.accessToken).accounts.exportAccount({});
  const data = JSON.parse(json);
  expect(data.users).toMatchObject([{ id: ada.id, email: ada.email, name: "Ada", role: "member" }]);
  expect(data.sessions.length).toBe(1);
  expect(data.audit_events.map(({ type }: { type: string }) => type)).toContain("account.created");
  expect(json).not.toMatch(/argon2|hash|secret/);
  expect(json).not.toContain(bob.id);
  expect(json).not.toContain(bob.email);
});
