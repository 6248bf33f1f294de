import { setTimeout as sleep } from "node:timers/promises";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { EncoderService } from "@kinora/proto-encoder";
import { SessionService, UserService } from "@kinora/proto-user";
import { createClientTransport } from "@kinora/rpc";

/** People at work during an upgrade: what they called, and what failed. */
export type Load = {
  calls(): number;
  /** One line for each call that failed. */
  failures: readonly string[];
  /** Ends it, with the calls that are under way. */
  stop(): Promise<void>;
};

export type Person = {
  id: string;
  encoder: Client<typeof EncoderService>;
  token(): string;
};

/** Logs somebody in, and keeps them busy: reads their account, lists their videos, and refreshes their session, over and over. A new connection now and then, as from browsers. */
export async function startLoad(options: {
  userUrl: string;
  encoderUrl: string;
  email: string;
  password: string;
}): Promise<{ load: Load; person: Person }> {
  const stop = new AbortController();
  const failures: string[] = [];
  let calls = 0;
  let accessToken = "";
  const transport = (baseUrl: string) =>
    createClientTransport({
      baseUrl,
      interceptors: [
        (next) => (request) => {
          if (accessToken !== "") request.header.set("authorization", `Bearer ${accessToken}`);
          return next(request);
        },
      ],
    });
  const [toUser, toEncoder] = [transport(options.userUrl), transport(options.encoderUrl)];
  const users = createClient(UserService, toUser);
  const sessions = createClient(SessionService, toUser);
  const encoder = createClient(EncoderService, toEncoder);
  const login = await sessions.createSession({ email: options.email, password: options.password });
  const userId = login.user?.id ?? "";
  accessToken = login.tokens?.accessToken ?? "";
  let refreshToken = login.tokens?.refreshToken ?? "";

  async function attempt(what: string, call: () => Promise<unknown>): Promise<void> {
    calls += 1;
    try {
      await call();
    } catch (error) {
      if (stop.signal.aborted) return;
      const { code, rawMessage } = ConnectError.from(error);
      failures.push(`${what}: ${Code[code]}: ${rawMessage}`);
    }
  }

  async function repeat(everyMs: number, what: string, call: () => Promise<unknown>): Promise<void> {
    while (!stop.signal.aborted) {
      await attempt(what, call);
      await sleep(everyMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  }

  async function afresh(): Promise<void> {
    const once = transport(options.encoderUrl);
    try {
      await createClient(EncoderService, once).listVideos({ pageSize: 1 });
    } finally {
      once.close();
    }
  }

  const running = [
    ...[1, 2, 3].map(() => repeat(15, "GetUser", () => users.getUser({ id: userId }))),
    ...[1, 2, 3].map(() => repeat(15, "ListVideos", () => encoder.listVideos({ pageSize: 10 }))),
    repeat(100, "ListVideos on a new connection", afresh),
    repeat(1_500, "RefreshSession", async () => {
      const { tokens } = await sessions.refreshSession({ refreshToken });
      if (tokens) ({ accessToken, refreshToken } = tokens);
    }),
  ];
  return {
    person: { id: userId, encoder, token: () => accessToken },
    load: {
      calls: () => calls,
      failures,
      async stop() {
        stop.abort();
        await Promise.all(running);
        toUser.close();
        toEncoder.close();
      },
    },
  };
}
