import type { Address } from "./address.ts";

/** How a failed connection is to be taken. */
export type Explanation = {
  /** What a person must do. */
  sentence: string;
  /** Whether it may pass by itself: a server that is still starting. */
  mayPass: boolean;
};

/** Explains why a connection to a database failed, by the error's code (a system's, or a Postgres SQLSTATE). */
export function explainConnection(error: unknown, { server, user, database }: Address): Explanation {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const text = error instanceof Error ? error.message : String(error);
  const passing = (sentence: string): Explanation => ({ sentence, mayPass: true });
  const lasting = (sentence: string): Explanation => ({ sentence, mayPass: false });

  if (error instanceof Error && "syscall" in error && error.syscall === "open") {
    return lasting(`A file that DATABASE_URL names can't be read: ${text}.`); // sslrootcert, sslcert, sslkey
  }
  switch (code) {
    case "ECONNREFUSED":
    case "ECONNRESET":
    case "EPIPE":
    case "ENOENT":
      return passing(`No Postgres answers at ${server}. Start it, or correct DATABASE_URL.`);
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return passing(`The host of ${server} can't be found. Correct DATABASE_URL, or wait until the name is known.`);
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return passing(unreachable(server));
    case "57P03": // cannot_connect_now
      return passing(`Postgres at ${server} is starting up or shutting down. Start again when it is ready.`);
    case "53300": // too_many_connections
      return passing(`Postgres at ${server} has no free connections. Raise its max_connections, or end some.`);
    case "28P01": // invalid_password
    case "28000": // invalid_authorization_specification
      return lasting(`Postgres at ${server} refuses the user "${user}". Correct user and password in DATABASE_URL.`);
    case "3D000": // invalid_catalog_name
      return lasting(
        `There is no database "${database}" on ${server}. Make it (CREATE DATABASE ${database}), or correct DATABASE_URL.`,
      );
    case "42501": // insufficient_privilege
      return lasting(
        `The user "${user}" may not use the database "${database}" on ${server}. Grant it that (GRANT ALL ON DATABASE ${database} TO ${user}).`,
      );
  }
  if (/timeout/i.test(text)) return passing(unreachable(server));
  if (/terminated unexpectedly/.test(text)) return passing(`Postgres at ${server} hangs up. Look into its log.`);
  if (/does not support SSL/.test(text)) {
    return lasting(`Postgres at ${server} has no TLS. Turn it on there, or add sslmode=disable to DATABASE_URL.`);
  }
  if (/certificate|SSL|TLS/i.test(`${code} ${text}`)) {
    return lasting(
      `The TLS certificate of Postgres at ${server} isn't trusted (${text}). Name its issuer by sslrootcert.`,
    );
  }
  if (/password must be a string/.test(text)) {
    return lasting(`Postgres at ${server} asks for a password. Put one into DATABASE_URL.`);
  }
  return lasting(`Postgres at ${server} can't be used: ${text}`);
}

function unreachable(server: string): string {
  return `Postgres at ${server} can't be reached. Check DATABASE_URL, the network and the firewall.`;
}
