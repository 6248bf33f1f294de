import { createClient } from "@connectrpc/connect";
import { KeyService, ServiceAccountKind } from "@kinora/proto-user";
import { createClientTransport, createServer, type RpcServer } from "@kinora/rpc";
import { createAuthenticator, createKeyCredential, remoteKeys } from "@kinora/service";
import { waitUntil } from "@kinora/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { faultOf, memoryLogger, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

// A worker's token, and the encoder that believes it, over sockets while the user service is away for a quarter of an hour. The clock is the test's.

let kinora: ServiceUnderTest;
let server: RpcServer | undefined;
let port = 0;
const ends: { close(): void }[] = [];
const serve = async () => {
  server = createServer(kinora.options());
  const { url } = await server.listen({ port, host: "127.0.0.1" });
  port = Number(new URL(url).port);
  return url;
};

beforeAll(async () => {
  kinora = await startServiceUnderTest();
});
afterAll(async () => {
  for (const end of ends) end.close();
  await server?.close(0);
  await kinora?.close();
});

it("a worker works on for five minutes at least and ten at most while the user service is away, and the moment that it is back", async () => {
  const { keys } = kinora.as((await kinora.owner()).accessToken);
  const { serviceAccount } = await keys.createServiceAccount({ name: "gpus", kind: ServiceAccountKind.WORKER });
  const { secret } = await keys.createKey({
    name: "gpu",
    scopes: ["tasks:work"],
    serviceAccountId: serviceAccount?.id ?? "",
  });
  const url = await serve();
  const transport = createClientTransport({ baseUrl: url, retry: false });
  const { logger, lines } = memoryLogger();
  const now = () => kinora.now().getTime();
  const credential = createKeyCredential({
    exchange: (signal) => createClient(KeyService, transport).exchangeKey({ key: secret }, { signal }),
    logger,
    now,
    random: () => 0,
  });
  const known = remoteKeys(url);
  ends.push(transport, credential, known);
  const encoder = createAuthenticator({ keys: known, now });
  /** What a call of the worker comes to at the encoder. */
  const call = async () => await encoder(`Bearer ${await credential.token()}`);
  const worker = { kind: "worker", id: serviceAccount?.id };
  const minutes = (count: number) => kinora.advance(count * 60_000);

  expect(await call()).toMatchObject(worker);
  const first = await credential.token();
  // Just before it would have been renewed: the worst moment.
  minutes(4.9);
  await server?.close(0);
  expect(await call()).toMatchObject(worker);
  minutes(4.9);
  expect(await call()).toMatchObject(worker); // and tries in vain to renew it
  await waitUntil("the log says so", () => lines.some((line) => /couldn't be renewed/.test(line)));
  minutes(0.2);
  expect((await faultOf(call())).code).toBe("Unavailable");
  await expect(Promise.resolve(encoder(`Bearer ${first}`))).rejects.toMatchObject({ reason: "unauthenticated" });
  minutes(5);
  expect((await faultOf(call())).code).toBe("Unavailable");

  await serve();
  await waitUntil("it works again", async () => (await call().catch(() => undefined)) !== undefined);
  expect(await call()).toMatchObject(worker);
  expect(await credential.token()).not.toBe(first);
  expect(lines.at(-1)).toMatch(/exchanges this process's API key again/);
});
