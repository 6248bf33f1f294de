import { BlockList } from "node:net";
import { type ClientTransport, createClientTransport, createServer, type RpcServer, trustProxies } from "@kinora/rpc";
import { createPasskeyAuthenticator } from "@kinora/testing";
import { Secret, TOTP } from "otpauth";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Clients, clientsOver, faultOf, type Person, startServiceUnderTest } from "./service-under-test.ts";

/** How many ask at the same moment. */
export const crowdSize = 20;

/** A password that is good for anybody. */
export const goodPassword = "seventeen swans went west";

/** Something that may happen once, and many who want it. */
export type Race = {
  /** How many may win: one where it isn't said. */
  winners?: number | { from: number; to: number };
  /** What losers are told. */
  losers: string[];
  /** Makes ready; the calls, one for each of the crowd by its number, and what must hold afterwards. */
  prepare(): Promise<{ call(racer: number): Promise<unknown>; after?(): Promise<void> }>;
};

/** A service on a socket, and programs at addresses of their own who call it. */
export type Crowd = {
  readonly kinora: Awaited<ReturnType<typeof startServiceUnderTest>>;
  /** A program at an address of its own; counts of attempts are another test's. */
  as(token?: string): Clients;
  /** The number `n` that a query gives. */
  one(sql: string, ...values: unknown[]): Promise<number>;
  newEmail(): string;
  newName(): string;
  /** Turns an authenticator app on. */
  enrol(person: Person): Promise<{ code(): string; recoveryCodes: string[] }>;
  /** Asks for a new password, and reads the code. */
  resetCode(person: Person): Promise<{ resetId: string; code: string }>;
  /** A new authenticator for passkeys. */
  newAuthenticator(): ReturnType<typeof createPasskeyAuthenticator>;
  /**
   * Whatever may happen once, asked for at the same moment over sockets: it happens once, whoever loses is told so, and nothing of theirs stays. No two wait for each other.
   */
  race(races: Record<string, Race>): void;
};

/** Starts a service for a test file, or a part of one, and ends it after the last test. */
export function useCrowd(settings: Parameters<typeof startServiceUnderTest>[0] = {}): Crowd {
  const proxies = new BlockList();
  proxies.addAddress("127.0.0.1");
  const transports: ClientTransport[] = [];
  let kinora: Crowd["kinora"] | undefined;
  let server: RpcServer | undefined;
  let url = "";
  let made = 0;

  beforeAll(async () => {
    kinora = await startServiceUnderTest(settings);
    server = createServer({ ...kinora.options(), interceptors: [trustProxies(proxies)] });
    ({ url } = await server.listen({ port: 0, host: "127.0.0.1" }));
  });
  afterAll(async () => {
    for (const transport of transports) transport.close();
    await server?.close();
    await kinora?.close();
  });

  const crowd: Crowd = {
    get kinora() {
      if (kinora === undefined) throw new Error("The service isn't started.");
      return kinora;
    },
    as(token) {
      made += 1;
      const address = `2001:db8:${made.toString(16)}::1`;
      const transport = createClientTransport({
        baseUrl: url,
        retry: false,
        timeoutMs: 50_000,
        ...(token !== undefined && { token }),
        interceptors: [
          (next) => (request) => {
            request.header.set("x-forwarded-for", address);
            return next(request);
          },
        ],
      });
      transports.push(transport);
      return clientsOver(transport);
    },
    async one(sql, ...values) {
      return Number((await crowd.kinora.database.pool.query<{ n: string }>(sql, values)).rows[0]?.n);
    },
    newEmail: () => `racer${made++}@example.com`,
    newName: () => `racer-${made++}`,
    async enrol(person) {
      const { factors } = crowd.as(person.accessToken);
      const { secret } = await factors.startTotp({});
      const app = new TOTP({ secret: Secret.fromBase32(secret) });
      const code = () => app.generate({ timestamp: crowd.kinora.now().getTime() });
      const { recoveryCodes } = await factors.confirmTotp({ code: code() });
      crowd.kinora.advance(60_000);
      return { code, recoveryCodes };
    },
    async resetCode({ email }) {
      const { resetId } = await crowd.as().accounts.requestPasswordReset({ email });
      const { code } = await crowd.kinora.mailbox.next(email, /new password/);
      return { resetId, code };
    },
    newAuthenticator: () => createPasskeyAuthenticator("https://kinora.example"),
    race(races) {
      it.each(Object.entries(races))("%s", async (_, race) => run(crowd, race));
    },
  };
  return crowd;
}

async function run({ one }: Crowd, { winners = 1, losers, prepare }: Race): Promise<void> {
  const deadlocks = () => one("select deadlocks as n from pg_stat_database where datname = current_database()");
  const { call, after } = await prepare();
  const before = await deadlocks();
  const outcomes = await Promise.all(
    Array.from({ length: crowdSize }, (_, racer) =>
      call(racer).then(
        () => undefined,
        (error: unknown) => faultOf(Promise.reject(error)),
      ),
    ),
  );
  const faults = outcomes.filter((fault) => fault !== undefined);
  expect(faults.filter(({ code }) => !losers.includes(code))).toEqual([]);
  const { from, to } = typeof winners === "number" ? { from: winners, to: winners } : winners;
  const won = crowdSize - faults.length;
  expect(won).toBeGreaterThanOrEqual(from);
  expect(won).toBeLessThanOrEqual(to);
  await after?.();
  // What waited for each other, Postgres had to part.
  expect(await deadlocks()).toBe(before);
}
