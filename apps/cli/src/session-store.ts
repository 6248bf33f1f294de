import { readJson, writePrivateJson } from "./private-file.ts";

/** A login, as it is kept between commands. */
export type StoredSession = {
  email: string;
  userId: string;
  accessToken: string;
  /** When the access token ends, in milliseconds since 1970. */
  accessExpires: number;
  refreshToken: string;
  /** Made from this machine's owner credential, not by `kinora login`. */
  automatic: boolean;
};

/** The logins of one person on this machine: one for each server. */
export type SessionStore = {
  read(server: string): Promise<StoredSession | undefined>;
  /** Replaces a server's login; undefined removes it. Only to be called under the lock. */
  write(server: string, session: StoredSession | undefined): Promise<void>;
};

type File = { version: 1; sessions: Record<string, StoredSession> };

/** Keeps logins in a file that only its owner can read. */
export function createSessionStore(path: string): SessionStore {
  async function load(): Promise<File> {
    const content = await readJson(path);
    const sessions = isRecord(content) && content.version === 1 && isRecord(content.sessions) ? content.sessions : {};
    const sound = Object.entries(sessions).filter((entry): entry is [string, StoredSession] => isSession(entry[1]));
    return { version: 1, sessions: Object.fromEntries(sound) };
  }
  return {
    async read(server) {
      return (await load()).sessions[server];
    },
    async write(server, session) {
      const { sessions } = await load();
      const { [server]: _, ...others } = sessions;
      await writePrivateJson(path, { version: 1, sessions: session ? { ...others, [server]: session } : others });
    },
  };
}

function isSession(value: unknown): value is StoredSession {
  if (!isRecord(value)) return false;
  const { email, userId, accessToken, accessExpires, refreshToken, automatic } = value;
  return (
    [email, userId, accessToken, refreshToken].every((text) => typeof text === "string") &&
    typeof accessExpires === "number" &&
    typeof automatic === "boolean"
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
