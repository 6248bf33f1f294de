import { DatabaseError } from "../database-error.ts";

/** A database on a server, in words that may be shown. */
export type Address = { server: string; user: string; database: string };

/**
 * The connection string in a form that `URL` understands.
 * @throws {DatabaseError} when it isn't the address of a database; its text isn't shown, as it may hold a password
 */
export function parseDatabaseUrl(text: string): URL {
  // libpq allows no host beside a user: postgres://user@/database?host=/run/postgresql
  const url = URL.parse(text) ?? URL.parse(text.replace("@/", "@localhost/"));
  if (url && ["postgres:", "postgresql:"].includes(url.protocol) && isEncoded(url)) return url;
  throw new DatabaseError(
    "DATABASE_URL isn't the address of a Postgres database. It looks like postgres://user:password@host:5432/database, " +
      "with signs like % @ / # in the password written as %25 %40 %2F %23.",
  );
}

function isEncoded({ username, password, hostname, pathname }: URL): boolean {
  try {
    for (const part of [username, password, hostname, pathname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

export function describeAddress(url: URL): Address {
  const host = url.searchParams.get("host") || decodeURIComponent(url.hostname) || "localhost";
  const port = url.searchParams.get("port") || url.port || "5432";
  const user = url.searchParams.get("user") || decodeURIComponent(url.username);
  return {
    server: host.startsWith("/") ? `${host} (port ${port})` : `${host}:${port}`,
    user,
    database: decodeURIComponent(url.pathname.slice(1)) || user,
  };
}

/** The same server and user, another database. */
export function withDatabase(url: URL, database: string): URL {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(database)}`;
  return other;
}
