import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "./database.ts";
import { openDatabase } from "./open-database.ts";
import { openTestDatabase } from "./testing/index.ts";

const quiet = { info() {}, warn() {}, error() {} };
const migrations = [{ name: "0001_fruit", sql: "CREATE TABLE fruit (name text)" }];
let server: Database;
beforeAll(async () => {
  server = await openTestDatabase("server", []);
});
afterAll(() => server.close());

describe("openDatabase with a URL", () => {
  it("keeps two services in one database apart", async () => {
    const options = { dataDir: "/nowhere", url: server.url, migrations, logger: quiet };
    const [user, encoder] = await Promise.all([
      openDatabase({ ...options, name: "user" }),
      openDatabase({ ...options, name: "encoder" }),
    ]);
    await user.pool.query("INSERT INTO fruit VALUES ('pear')");
    expect((await encoder.pool.query("SELECT name FROM fruit")).rows).toEqual([]);
    await Promise.all([user.close(), encoder.close()]);
  });

  it("gives a service a database of its own", async () => {
    const user = await openDatabase({
      name: "user",
      dataDir: "/nowhere",
      url: server.url,
      ownDatabase: true,
      migrations,
      logger: quiet,
    });
    expect((await user.pool.query("SELECT current_database() AS name")).rows).toEqual([{ name: "postgres_user" }]);
    expect(new URL(user.url).pathname).toBe("/postgres_user");
    await user.close();
  });
});

describe("an open database", () => {
  it("answers a check, and not when it is closed or the check is given up", async () => {
    const database = await openDatabase({
      name: "checked",
      dataDir: "/nowhere",
      url: server.url,
      migrations,
      logger: quiet,
    });
    const busy = await Promise.all(Array.from({ length: 10 }, () => database.pool.connect()));
    await database.check();
    for (const client of busy) client.release();
    await expect(database.check(AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
    await database.close();
    await expect(database.check()).rejects.toThrow("the database is closed");
  });

  it("closes although a connection was never given back, and closes once", async () => {
    const database = await openTestDatabase("kept", migrations);
    const client = await database.pool.connect();
    client.on("error", () => {});
    await Promise.all([database.close(), database.close()]);
    await expect(database.check()).rejects.toThrow();
  });
});

it("refuses a name that can't be a schema's", async () => {
  await expect(openDatabase({ name: "a b", dataDir: "/nowhere", migrations, logger: quiet })).rejects.toThrow(
    "can't be the name of a Postgres schema",
  );
});
