import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type Transport,
} from "@connectrpc/connect";
import type { Database } from "@kinora/database";
import { openTestDatabase } from "@kinora/database/testing";
import { ViolationsSchema } from "@kinora/proto-common";
import { AccountService as EncoderAccountService } from "@kinora/proto-encoder";
import {
  AccountService,
  AuditService,
  FactorService,
  InvitationService,
  KeyService,
  QuotaService,
  SessionService,
  UserService,
} from "@kinora/proto-user";
import { clientAddressKey, createInMemoryTransport, type Logger, type ServiceOptions } from "@kinora/rpc";
import { createAuthenticator } from "@kinora/service";
import { temporaryFolder } from "@kinora/testing";
import { userMigrations } from "../migrations.ts";
import { createPasswordHasher, type PasswordHasher } from "../password/password-hasher.ts";
import { createUserService, type UserServiceDeps } from "../user-service.ts";
import { type Mailbox, openMailbox } from "./mailbox.ts";

/** A logger that keeps its lines, so that a test can look for what must not be there. */
export function memoryLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const write = (...parts: unknown[]) => {
    lines.push(JSON.stringify(parts, (_, value) => (value instanceof Error ? String(value.stack) : value)));
  };
  const logger: Logger = {
    trace: write,
    debug: write,
    info: write,
    warn: write,
    error: write,
    fatal: write,
    child: () => logger,
  };
  return { logger, lines };
}

/** The credential of services in tests. */
export const serviceToken = "service-token-of-tests-0123456789";

/** Somebody with an account and a session. */
export type Person = { id: string; email: string; password: string; accessToken: string; refreshToken: string };

/** The services as somebody with this credential sees them. */
export type Clients = {
  users: Client<typeof UserService>;
  sessions: Client<typeof SessionService>;
  quotas: Client<typeof QuotaService>;
  keys: Client<typeof KeyService>;
  accounts: Client<typeof AccountService>;
  factors: Client<typeof FactorService>;
  invitations: Client<typeof InvitationService>;
  audit: Client<typeof AuditService>;
};

/** Makes clients over a transport. */
export function clientsOver(transport: Transport): Clients {
  return {
    users: createClient(UserService, transport),
    sessions: createClient(SessionService, transport),
    quotas: createClient(QuotaService, transport),
    keys: createClient(KeyService, transport),
    accounts: createClient(AccountService, transport),
    factors: createClient(FactorService, transport),
    invitations: createClient(InvitationService, transport),
    audit: createClient(AuditService, transport),
  };
}

/** A user service over a Postgres of its own, called in memory through the same gate and rules as over a socket. */
export type ServiceUnderTest = {
  database: Database;
  dataDir: string;
  lines: string[];
  /** What a server needs to serve it. */
  options(): ServiceOptions;
  /** Ends the service and starts it again over the same database. */
  restart(): Promise<void>;
  /** Letters that the service sent. */
  mailbox: Mailbox;
  /** How many passwords and codes were hashed so far. */
  hashes(): number;
  /** Moves the service's clock. */
  advance(ms: number): void;
  now(): Date;
  /** Calls with a credential, or as nobody; from an address. */
  as(token?: string, clientAddress?: string): Clients;
  /** Makes an account and logs in. */
  join(name?: string): Promise<Person>;
  login(email: string, password: string): Promise<Person>;
  /** Logs in as the owner, with the credential that the first start left. */
  owner(): Promise<Person>;
  close(): Promise<void>;
};

/** An encoder that takes everything. */
export function agreeableEncoder(): Transport {
  return createRouterTransport(({ service }) => {
    service(EncoderAccountService, { deleteAccountData: () => ({ videos: 0 }) });
  });
}

/** Passwords are hashed as ever, at a hundredth of the cost: tests log in by the thousand. */
export function testPasswordHasher(): PasswordHasher {
  return createPasswordHasher(undefined, { memoryCost: 1024, timeCost: 2, parallelism: 1 });
}

/** Starts a user service for tests; everything is gone after `close`. */
export async function startServiceUnderTest(
  overrides: Partial<
    Pick<UserServiceDeps, "encoder" | "keys" | "signUp" | "verifyEmail" | "mail" | "quotaMinutes" | "quotaStorageBytes">
  > = {},
): Promise<ServiceUnderTest> {
  const folder = await temporaryFolder();
  const database = await openTestDatabase("user", userMigrations);
  const { logger, lines } = memoryLogger();
  const mailbox = openMailbox(folder.path);
  const hasher = testPasswordHasher();
  let hashes = 0;
  const count = <Parts extends unknown[], T>(work: (...parts: Parts) => Promise<T>) => {
    return (...parts: Parts): Promise<T> => {
      hashes += 1;
      return work(...parts);
    };
  };
  const passwords: PasswordHasher = { ...hasher, hash: count(hasher.hash), verify: count(hasher.verify) };
  let offset = 0;
  let joined = 0;
  const now = () => new Date(Date.now() + offset);
  const start = async () => {
    const started = await createUserService({
      database,
      logger,
      encoder: agreeableEncoder,
      dataDir: folder.path,
      publicUrl: () => "https://kinora.example",
      signUp: "open",
      verifyEmail: false,
      mail: { smtpUrl: undefined, from: "kinora@example.com" },
      quotaMinutes: 0,
      passwords,
      now,
      ...overrides,
    });
    await started.work();
    return started;
  };
  let service = await start();
  const options = (): ServiceOptions => ({
    routes: service.routes,
    http: service.http,
    authenticate: createAuthenticator({ keys: service.keys, serviceToken, now: () => now().getTime() }),
    logger,
  });

  const as: ServiceUnderTest["as"] = (token, clientAddress = "192.0.2.1") =>
    clientsOver(
      createInMemoryTransport({
        ...options(),
        ...(token !== undefined && { token }),
        interceptors: [
          (next) => (request) => {
            request.contextValues.set(clientAddressKey, clientAddress);
            return next(request);
          },
        ],
      }),
    );
  const login: ServiceUnderTest["login"] = async (email, password) => {
    const { user, tokens } = await as().sessions.createSession({ email, password });
    if (user === undefined || tokens === undefined) throw new Error("a login without a user or tokens");
    return { id: user.id, email, password, accessToken: tokens.accessToken, refreshToken: tokens.refreshToken };
  };
  return {
    database,
    dataDir: folder.path,
    lines,
    mailbox,
    hashes: () => hashes,
    options,
    now,
    async restart() {
      await service.close();
      service = await start();
    },
    advance(ms) {
      offset += ms;
    },
    as,
    login,
    async join(name = "Ada") {
      joined += 1;
      const email = `person${joined}@example.com`;
      const password = `password number ${joined} of a test`;
      const { user } = await as((await ownerToken()) ?? undefined).users.createUser({ email, name, password });
      if (user === undefined) throw new Error("an account without a user");
      return await login(email, password);
    },
    async owner() {
      const { email, password } = await ownerCredential();
      return await login(email, password);
    },
    async close() {
      await service.close();
      await database.close();
      await folder.remove();
    },
  };

  async function ownerCredential(): Promise<{ email: string; password: string }> {
    return JSON.parse(await readFile(join(folder.path, "credentials", "owner.json"), "utf8"));
  }

  async function ownerToken(): Promise<string | undefined> {
    if (overrides.signUp !== "closed") return undefined;
    const { email, password } = await ownerCredential();
    return (await login(email, password)).accessToken;
  }
}

/** How a call fails: its code, its message, the fields that its violations name, and how long to wait. */
export async function faultOf(
  call: Promise<unknown>,
): Promise<{ code: string; message: string; fields: string[]; retryAfter: string | null }> {
  try {
    await call;
  } catch (error) {
    const fault = ConnectError.from(error);
    const fields = fault
      .findDetails(ViolationsSchema)
      .flatMap(({ violations }) => violations)
      .map(({ field }) => field?.elements.map(({ fieldName }) => fieldName).join(".") ?? "");
    return {
      code: Code[fault.code] ?? String(fault.code),
      message: fault.rawMessage,
      fields,
      retryAfter: fault.metadata.get("retry-after"),
    };
  }
  throw new Error("the call succeeded");
}
