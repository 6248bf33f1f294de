import { connect, createServer } from "node:net";
import { openTestDatabase } from "@kinora/database/testing";

/** A real Postgres at a port of this machine: the embedded one has none, so a relay stands before its socket. */
export type Postgres = { url(database: string): string } & AsyncDisposable;

/** Starts it, with these databases. */
export async function startPostgres(databases: readonly string[]): Promise<Postgres> {
  const server = await openTestDatabase("upgrade", []);
  const socket = `${new URL(server.url).searchParams.get("host")}/.s.PGSQL.5432`;
  const relay = createServer((client) => {
    const upstream = connect(socket);
    client.pipe(upstream).pipe(client);
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  });
  const port = await new Promise<number>((resolve, reject) => {
    relay.once("error", reject);
    relay.listen(0, "127.0.0.1", () => {
      const address = relay.address();
      resolve(address !== null && typeof address === "object" ? address.port : 0);
    });
  });
  for (const name of databases) await server.pool.query(`CREATE DATABASE ${name}`);
  return {
    url(database) {
      const url = new URL(server.url);
      url.search = "";
      url.host = `127.0.0.1:${port}`;
      url.pathname = `/${database}`;
      return url.href;
    },
    async [Symbol.asyncDispose]() {
      relay.close();
      await server.close();
    },
  };
}
