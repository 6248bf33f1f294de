import type { Context } from "./context.ts";
import { CliError, UsageError } from "./errors.ts";
import { dataFolders, findLocalInstallation } from "./local-installation.ts";

/** Where the services are. */
export type ServerAddress = {
  user: string;
  encoder: string;
  /** Data folder of the installation, if it is one of this machine; its owner's credential may be used. */
  dataDir?: string;
};

const defaultServer = "http://localhost:8080";
const discoveryMs = 10_000;

/**
 * Finds the services: by `--server` or KINORA_SERVER, else the installation of this machine that runs, else the default
 * address. Throws a CliError that says what to do where nothing answers.
 */
export async function findServer(context: Pick<Context, "env" | "cwd" | "server" | "signal">): Promise<ServerAddress> {
  const { env, cwd, signal } = context;
  const local = await findLocalInstallation(dataFolders(env, cwd));
  const given = context.server ?? env.KINORA_SERVER;
  if (given) {
    const found = await discover(parseServer(given), signal);
    // The owner's password goes to the very service that runs here, and to no other.
    const isLocal = local?.user !== undefined && serverKey(local.user) === serverKey(found.user);
    return isLocal ? { ...found, dataDir: local.dataDir } : found;
  }
  if (local === undefined) return discover(defaultServer, signal);
  const { user, encoder, dataDir } = local;
  if (user !== undefined && encoder !== undefined) return { user, encoder, dataDir };
  // One of the services doesn't run here: the other one knows where it is.
  return { ...(await discover(user ?? encoder ?? defaultServer, signal)), dataDir };
}

/** Names a server in the session store: loopback by any name is the same. */
export function serverKey(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  const host = isLoopback(hostname) ? "localhost" : hostname;
  return `${protocol}//${host}${port && `:${port}`}${pathname.replace(/\/+$/, "")}`;
}

/** Whether a host name stands for this machine alone. */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function parseServer(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new UsageError(`"${text}" is no server's address; it looks like https://kinora.example.com.`);
  }
  return url.href.replace(/\/+$/, "");
}

/** Asks a server where the services of its installation are. */
async function discover(server: string, signal: AbortSignal): Promise<ServerAddress> {
  let response: Response;
  let content: unknown;
  try {
    response = await fetch(`${server}/.well-known/kinora`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(discoveryMs)]),
    });
    content = await response.json().catch(() => undefined);
  } catch (error) {
    signal.throwIfAborted();
    throw new CliError(noKinoraAt(server), { cause: error });
  }
  const { user, encoder } = (content ?? {}) as { user?: unknown; encoder?: unknown };
  if (!response.ok || !isAddress(user) || !isAddress(encoder)) {
    throw new CliError(`What answers at ${server} is no Kinora. Give its address by --server URL.`);
  }
  for (const url of [user, encoder]) {
    if (isLoopback(new URL(url).hostname) && !isLoopback(new URL(server).hostname)) {
      throw new CliError(
        `The Kinora at ${server} says that it is to be reached at ${url}, which works on its own machine only. Set PUBLIC_URL there.`,
      );
    }
  }
  return { user: trimmed(user), encoder: trimmed(encoder) };
}

/** What to say when nothing answers. */
export function noKinoraAt(server: string): string {
  return `No Kinora answers at ${server}. Start it with "npm start", or give --server URL.`;
}

function isAddress(value: unknown): value is string {
  return typeof value === "string" && /^https?:\/\//.test(value) && URL.canParse(value);
}

const trimmed = (url: string) => url.replace(/\/+$/, "");
