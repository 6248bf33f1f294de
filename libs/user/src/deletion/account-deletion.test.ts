import { Code, ConnectError } from "@connectrpc/connect";
import { AccountService } from "@kinora/proto-encoder";
import { callerOf, createClientTransport, createServer, type RpcServer } from "@kinora/rpc";
import { freePort, waitUntil } from "@kinora/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { faultOf, memoryLogger, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

let kinora: ServiceUnderTest;
let port: number;
let transport: ReturnType<typeof createClientTransport>;

beforeAll(async () => {
  port = await freePort();
  const { logger } = memoryLogger();
  kinora = await startServiceUnderTest({
    encoder(token) {
      transport = createClientTransport({ baseUrl: `http://127.0.0.1:${port}`, token, logger });
      return transport;
    },
  });
});
afterAll(async () => {
  await kinora?.close();
  transport?.close();
});

/** An encoder on its port that notes whom it is told of, and refuses the first `refusals` calls. */
async function startEncoder(refusals = 0): Promise<{ told: string[]; server: RpcServer }> {
  const told: string[] = [];
  const server = createServer({
    routes: ({ service }) =>
      void service(AccountService, {
        deleteAccountData({ userId }, context) {
          expect(callerOf(context)).toMatchObject({ kind: "service" });
          if (refusals-- > 0) throw new ConnectError("busy", Code.Unavailable);
          told.push(userId);
          return { videos: 3 };
        },
      }),
    authenticate: kinora.options().authenticate,
    logger: memoryLogger().logger,
  });
  await server.listen({ port, host: "127.0.0.1" });
  return { told, server };
}

const deleteAccount = async () => {
  const { id, accessToken } = await kinora.join("Doomed");
  await kinora.as(accessToken).users.deleteUser({ id });
  return id;
};

it("tells the encoder at once", async () => {
  const { told, server } = await startEncoder();
  const id = await deleteAccount();
  await waitUntil("the encoder is told", () => told.includes(id), 10_000);
  await server.close();
});

it("tells the encoder when it is there again, also after a restart of its own", async () => {
  const early = await deleteAccount(); // nobody listens
  await waitUntil("the first attempt has failed", () => kinora.lines.some((line) => line.includes("will try again")));
  await kinora.restart();
  const late = await deleteAccount();
  const { told, server } = await startEncoder(2);
  await waitUntil("the encoder is told of both", () => told.includes(early) && told.includes(late), 40_000);
  await server.close();
});

it("tells the encoder once more when the last access token has expired", async () => {
  const id = await deleteAccount();
  const { rows } = await kinora.database.pool.query(
    "select extract(epoch from start_after - created_on)::int as wait from user_queue.job where data->>'userId' = $1 order by 1",
    [id],
  );
  expect(rows.at(-1).wait).toBeGreaterThanOrEqual(600);
});

it("deletes no account that it couldn't tell of", async () => {
  const { id, accessToken } = await kinora.join("Lucky");
  const { users } = kinora.as(accessToken);
  await kinora.database.pool.query("alter schema user_queue rename to away");
  expect((await faultOf(users.deleteUser({ id }))).code).toBe("Internal");
  await kinora.database.pool.query("alter schema away rename to user_queue");
  expect((await users.getUser({ id })).name).toBe("Lucky");
  await users.deleteUser({ id });
});
