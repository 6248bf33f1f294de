import { connect, createServer, type Server as TcpServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "@kinora/testing";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withConnection } from "../connection.ts";
import type { Database } from "../database.ts";
import { DatabaseError } from "../database-error.ts";
import { openDatabase } from "../open-database.ts";
import { openTestDatabase } from "../testing/index.ts";
import { openServer, type Server } from "./open-server.ts";

const quiet = { info() {}, warn() {}, error() {} };
let admin: Database;
let relay: TcpServer;
let port: number;

// A real Postgres at a real TCP port: the embedded one has none, so a relay stands before its socket.
beforeAll(async () => {
  admin = await openTestDatabase("admin", []);
  await admin.pool.query("CREATE ROLE guest LOGIN PASSWORD 'guest-secret'");
  await admin.pool.query("CREATE ROLE maker LOGIN CREATEDB PASSWORD 'maker-secret'");
  await admin.pool.query("CREATE DATABASE video OWNER maker");
  const socket = `${new URL(admin.url).searchParams.get("host")}/.s.PGSQL.5432`;
  relay = createServer((client) => {
    const server = connect(socket);
    client.pipe(server).pipe(client);
    client.on("error", () => server.destroy());
    server.on("error", () => client.destroy());
  });
  port = await freePort();
  await listen();
});
afterAll(async () => {
  relay.close();
  await admin.close();
});

async function listen(): Promise<void> {
  await new Promise<void>((resolve) => relay.listen(port, "127.0.0.1", resolve));
}

function address(user: string, database: string): string {
  return `postgres://${user}:${user}-secret@127.0.0.1:${port}/${database}`;
}

function open(
  url: string,
  more: { ownDatabase?: string; signal?: AbortSignal; patienceMs?: number } = {},
): Promise<Server<string>> {
  const first = (connectionString: string) =>
    withConnection({ connectionString }, more.signal, async (client) => {
      const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name");
      return rows[0]?.name ?? "";
    });
  return openServer({ ownDatabase: undefined, ...more, url, first });
}

async function refusal(opening: Promise<unknown>): Promise<string> {
  const error: unknown = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DatabaseError)) throw new Error(`not a DatabaseError: ${error}`);
  expect(error.message).not.toMatch(/secret|\n/);
  return error.message;
}

async function databaseOf(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name");
  await client.end();
  return rows[0]?.name ?? "";
}

describe("openServer", () => {
  it("uses the database of the URL", async () => {
    const { url } = await open(address("maker", "video"));
    expect(await databaseOf(url)).toBe("video");
  });

  it("makes the service's own database, once, when two ask for it together", async () => {
    const servers = await Promise.all([1, 2].map(() => open(address("maker", "video"), { ownDatabase: "encoder" })));
    for (const { url } of servers) expect(await databaseOf(url)).toBe("video_encoder");
    const again = await open(address("maker", "video"), { ownDatabase: "encoder" });
    expect(await databaseOf(again.url)).toBe("video_encoder");
  });

  it("says what its first use came to", async () => {
    expect((await open(address("maker", "video"))).first).toBe("video");
  });

  it("waits for a server that is starting", async () => {
    const closed = new Promise((resolve) => relay.close(resolve));
    await closed;
    const opening = open(address("maker", "video"));
    await sleep(300);
    await listen();
    expect(await databaseOf((await opening).url)).toBe("video");
  });
});

describe("one sentence says what to do", () => {
  it("when nobody answers", async () => {
    const nobody = await freePort();
    const url = `postgres://maker:maker-secret@127.0.0.1:${nobody}/video`;
    expect(await refusal(open(url, { patienceMs: 100 }))).toBe(
      `No Postgres answers at 127.0.0.1:${nobody}. Start it, or correct DATABASE_URL.`,
    );
  });

  it("when the password is wrong", async () => {
    const url = address("maker", "video").replace("maker-secret", "wrong-secret");
    expect(await refusal(open(url))).toBe(
      `Postgres at 127.0.0.1:${port} refuses the user "maker". Correct user and password in DATABASE_URL.`,
    );
  });

  it("when there is no such database", async () => {
    expect(await refusal(open(address("maker", "nowhere")))).toContain("Make it (CREATE DATABASE nowhere)");
  });

  it("when the user may not make the service's database", async () => {
    expect(await refusal(open(address("guest", "video"), { ownDatabase: "user" }))).toBe(
      `The user "guest" may not make the database "video_user" on 127.0.0.1:${port}. ` +
        "Make it (CREATE DATABASE video_user OWNER guest), or let the user do so (ALTER ROLE guest CREATEDB).",
    );
  });

  it("when the user may not make the service's schema", async () => {
    const opening = openDatabase({
      name: "user",
      dataDir: "/nowhere",
      url: address("guest", "video"),
      migrations: [],
      logger: quiet,
    });
    expect(await refusal(opening)).toContain("GRANT ALL ON DATABASE video TO guest");
  });
});

it("goes on with the connection that it was asked first on, once the schema is there", async () => {
  const options = { name: "lean", dataDir: "/nowhere", url: address("maker", "video"), logger: quiet };
  const migrations = [{ name: "0001_fruit", sql: "CREATE TABLE fruit (name text)" }];
  await (await openDatabase({ ...options, migrations })).close();
  let connections = 0;
  const count = () => connections++;
  relay.on("connection", count);
  const database = await openDatabase({ ...options, migrations });
  await database.pool.query("SELECT FROM fruit");
  await database.check();
  relay.off("connection", count);
  await database.close();
  expect(connections).toBe(1);
});

describe("a server that takes connections and says nothing", () => {
  const silent = createServer();
  let url: string;
  beforeAll(async () => {
    const silentPort = await freePort();
    await new Promise<void>((resolve) => silent.listen(silentPort, "127.0.0.1", resolve));
    url = `postgres://maker@127.0.0.1:${silentPort}/video`;
  });
  afterAll(() => {
    silent.close();
  });

  it.each<[string, (signal: AbortSignal) => Promise<unknown>]>([
    ["server", (signal) => open(url, { signal, patienceMs: 600_000 })],
    [
      "database",
      (signal) => openDatabase({ name: "user", dataDir: "/nowhere", url, migrations: [], logger: quiet, signal }),
    ],
  ])("ends the opening of a %s at once when it is given up", async (_name, opening) => {
    const stop = new AbortController();
    silent.once("connection", () => stop.abort(new Error("given up")));
    await expect(opening(stop.signal)).rejects.toThrow("given up");
  });
});
