import { hostname } from "node:os";
import { join } from "node:path";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { AddCheckResponse, CreateSessionResponse, Tokens, User } from "@kinora/proto-user";
import { type SessionClient, sessionClient, type TokenSource } from "./clients.ts";
import type { Context } from "./context.ts";
import { sentence } from "./describe-error.ts";
import { CliError } from "./errors.ts";
import { withLock } from "./file-lock.ts";
import { ownerCredential } from "./local-installation.ts";
import type { AskSecondFactor } from "./second-factor.ts";
import { type ServerAddress, serverKey } from "./server-address.ts";
import { createSessionStore, type StoredSession } from "./session-store.ts";
import { stateFolder } from "./state-folder.ts";
import { printable } from "./text-width.ts";

/** Characters that the contract gives a session's name. */
const longestDevice = 200;

/** The login at one server. */
export type Session = TokenSource & {
  /** Logs in and keeps the session, in place of the one before. */
  login(credential: Credential, second: AskSecondFactor, signal: AbortSignal): Promise<User>;
  /** Logs in as the owner of the installation on this machine; undefined where its credential isn't at hand. */
  loginAsOwner(signal: AbortSignal, second?: AskSecondFactor): Promise<User | undefined>;
  /** Who is logged in, as it was kept; undefined if nobody is. */
  holder(): Promise<Pick<StoredSession, "email" | "automatic"> | undefined>;
  /** Forgets the session here; for one that has ended at the server. */
  forget(signal: AbortSignal): Promise<void>;
  /** Ends the session here and at the server; undefined if there was none. */
  logout(signal: AbortSignal): Promise<StoredSession | undefined>;
  /** A token that lives at least this long, for use outside of this process. */
  tokenFor(ms: number, signal: AbortSignal): Promise<string>;
};

type Credential = { email: string; password: string };

/** An access token with less time left than this is replaced before it is used. */
const marginMs = 30_000;

/**
 * The login of this person at a server, shared by all commands that run at the same time: whoever finds the access token old takes the lock, looks
 * again, and refreshes it. So a refresh token is never presented twice, which would end the session.
 */
export function openSession(context: Pick<Context, "env" | "home" | "stderr">, server: ServerAddress): Session {
  const folder = stateFolder(context);
  const store = createSessionStore(join(folder, "sessions.json"));
  const key = serverKey(server.user);
  const client = sessionClient(server.user);
  const locked = <T>(signal: AbortSignal, work: () => Promise<T>) =>
    withLock(join(folder, "sessions.lock"), signal, work);

  const owner = async () => (server.dataDir === undefined ? undefined : ownerCredential(server.dataDir));

  async function create(credential: Credential, automatic: boolean, signal: AbortSignal, second?: AskSecondFactor) {
    // How the list of sessions names this one.
    const device = `kinora on ${hostname()}`.slice(0, longestDevice);
    const first = await client.createSession({ ...credential, device }, { signal }).catch((error: unknown) => {
      const { code, rawMessage } = ConnectError.from(error);
      if (code !== Code.Unauthenticated) throw error;
      const told = automatic
        ? `The owner's password has changed since the first start: log in with "kinora login ${credential.email}".`
        : sentence(printable(rawMessage));
      throw new CliError(told, { cause: error });
    });
    const { tokens, user } = first.checkToken === "" ? first : await complete(first, second, signal);
    if (tokens === undefined || user === undefined)
      throw new CliError("The server's answer to the login is incomplete.");
    const session = { email: user.email, userId: user.id, automatic, ...stored(tokens) };
    await store.write(key, session);
    return { user, session };
  }

  /** Adds the second factor to a login that asks for one: three tries. */
  async function complete(
    { checkToken, needed }: CreateSessionResponse,
    second: AskSecondFactor | undefined,
    signal: AbortSignal,
  ): Promise<AddCheckResponse> {
    if (second === undefined) {
      throw new CliError(`The login at ${server.user} needs a second factor: use "kinora login".`);
    }
    for (let tries = 3; ; tries -= 1) {
      const check = await second(needed);
      try {
        return await client.addCheck({ checkToken, check }, { signal });
      } catch (error) {
        const { code, rawMessage } = ConnectError.from(error);
        if (code !== Code.Unauthenticated) throw error;
        if (tries === 1) throw new CliError(sentence(printable(rawMessage)), { cause: error });
        context.stderr.write(`${sentence(printable(rawMessage))}\n`);
      }
    }
  }

  /** Makes a session that works; to be called under the lock. */
  async function acquire(old: StoredSession | undefined, signal: AbortSignal): Promise<StoredSession> {
    if (old !== undefined) {
      const renewed = await refresh(client, old, signal);
      await store.write(key, renewed);
      if (renewed !== undefined) return renewed;
    }
    // A login that somebody made doesn't turn into another person's by itself.
    if (old === undefined || old.automatic) {
      const credential = await owner();
      if (credential) return (await create(credential, true, signal)).session;
    }
    throw new CliError(
      old === undefined
        ? `You are not logged in at ${server.user}: use "kinora login", or "kinora signup" to make an account.`
        : `Your login at ${server.user} has ended: use "kinora login".`,
    );
  }

  /** A session that `good` accepts, refreshed if need be. */
  async function obtain(good: (session: StoredSession) => boolean, signal: AbortSignal): Promise<string> {
    const current = await store.read(key);
    if (current && good(current)) return current.accessToken;
    return locked(signal, async () => {
      const newest = await store.read(key); // another command may have been faster
      return newest && good(newest) ? newest.accessToken : (await acquire(newest, signal)).accessToken;
    });
  }

  /** Logs in anew; the session before ends as well, unless the server can't do that now: then it runs out. */
  const replace = (credential: Credential, automatic: boolean, signal: AbortSignal, second?: AskSecondFactor) =>
    locked(signal, async () => {
      const old = await store.read(key);
      const { user } = await create(credential, automatic, signal, second);
      if (old) await client.revokeSession({ refreshToken: old.refreshToken }, { signal }).catch(() => {});
      return user;
    });

  const livesFor = (ms: number) => (session: StoredSession) => session.accessExpires - Date.now() > ms;

  return {
    token: (signal) => obtain(livesFor(marginMs), signal),
    tokenFor: (ms, signal) => obtain(livesFor(ms), signal),
    renew: (refused, signal) => obtain((session) => session.accessToken !== refused, signal),
    login: (credential, second, signal) => replace(credential, false, signal, second),
    async loginAsOwner(signal, second) {
      const credential = await owner();
      return credential && replace(credential, true, signal, second);
    },
    holder: () => store.read(key),
    forget: (signal) => locked(signal, () => store.write(key, undefined)),
    logout: (signal) =>
      locked(signal, async () => {
        const session = await store.read(key);
        if (session === undefined) return undefined;
        await store.write(key, undefined);
        await client.revokeSession({ refreshToken: session.refreshToken }, { signal });
        return session;
      }),
  };
}

/** The session with new tokens; undefined when the server has ended it. */
async function refresh(
  client: SessionClient,
  session: StoredSession,
  signal: AbortSignal,
): Promise<StoredSession | undefined> {
  try {
    // Not to be broken off by Ctrl-C: the server would have used the token up, and nobody would know the new one.
    signal.throwIfAborted();
    const { tokens } = await client.refreshSession({ refreshToken: session.refreshToken });
    return tokens && { ...session, ...stored(tokens) };
  } catch (error) {
    if (ConnectError.from(error).code === Code.Unauthenticated) return undefined;
    throw error;
  }
}

function stored(tokens: Tokens) {
  return {
    accessToken: tokens.accessToken,
    accessExpires: tokens.accessExpireTime ? timestampMs(tokens.accessExpireTime) : 0,
    refreshToken: tokens.refreshToken,
  };
}
