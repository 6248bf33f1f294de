import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { startFleet } from "../../testing/start-fleet.ts";
import { type ClientTransportOptions, createClientTransport } from "../client-transport.ts";
import { type Hedging, hedgingKey } from "./call-options.ts";

function open(baseUrl: ClientTransportOptions["baseUrl"], options: Partial<ClientTransportOptions> = {}) {
  const transport = createClientTransport({ baseUrl, token: "user", ...options });
  return { ...createClient(EchoService, transport), [Symbol.dispose]: () => transport.close() };
}

// A busy machine may take its time.
const patience = { timeout: 10_000 };

const hedged = (hedging: Hedging | false) => ({ contextValues: createContextValues().set(hedgingKey, hedging) });

/** Servers of which the first to be asked, once all have been, never answers. */
async function startStuck(servers: number) {
  const seen: { server: number; attempts: string | null }[] = [];
  const cancelled: number[] = [];
  let warm = false;
  const answer =
    (index: number) =>
    async (_request: unknown, { signal, requestHeader }: HandlerContext) => {
      seen.push({ server: index, attempts: requestHeader.get("grpc-previous-rpc-attempts") });
      if (warm && seen.length === 1) {
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        cancelled.push(index);
      }
      return { text: String(index) };
    };
  const fleet = await startFleet(servers, (index) => ({ echo: answer(index), echoUser: answer(index) }));
  return {
    fleet,
    seen,
    cancelled,
    async warmUp(client: ReturnType<typeof open>) {
      await expect
        .poll(async () => {
          await Promise.all(Array.from({ length: 10 }, () => client.echo({ text: "x" }, hedged(false))));
          return new Set(seen.map(({ server }) => server)).size;
        }, patience)
        .toBe(servers);
      seen.length = 0;
      warm = true;
    },
  };
}

describe.each(["grpc", "connect", "grpc-web"] as const)("a hedged call by %s", (protocol) => {
  it("goes to a second server when the first takes long, and the slower one is cancelled", async () => {
    const { fleet, seen, cancelled, warmUp } = await startStuck(2);
    await using _ = fleet;
    using client = open(fleet.addresses, { protocol });
    await warmUp(client);
    const { text } = await client.echo({ text: "x" }, hedged({ delayMs: 20, attempts: 2 }));
    // Whichever has got there first is stuck.
    expect(new Set(seen.map(({ attempts }) => attempts))).toEqual(new Set([null, "1"]));
    expect(text).toBe(String(seen[1]?.server));
    expect(seen[1]?.server).not.toBe(seen[0]?.server);
    await expect.poll(() => cancelled, patience).toEqual([seen[0]?.server]);
  });

  it("may be the default of a transport, and no call of a method that may not run twice is", async () => {
    const { fleet, seen, warmUp } = await startStuck(2);
    await using _ = fleet;
    using client = open(fleet.addresses, { protocol, hedging: { delayMs: 20, attempts: 2 } });
    await warmUp(client);
    await expect(client.echoUser({ text: "x" }, { timeoutMs: 150 })).rejects.toMatchObject({
      code: Code.DeadlineExceeded,
    });
    expect(seen).toHaveLength(1);
    seen.length = 0;
    await client.echo({ text: "x" });
    expect(seen).toHaveLength(2);
    seen.length = 0;
    await expect(client.echo({ text: "x" }, { timeoutMs: 150, ...hedged(false) })).rejects.toMatchObject({
      code: Code.DeadlineExceeded,
    });
    expect(seen).toHaveLength(1);
  });
});

describe("hedging", () => {
  it("is refused for a method that may not run twice", async () => {
    await using fleet = await startFleet(1);
    using client = open(fleet.addresses);
    await expect(client.echoUser({ text: "x" }, hedged({ delayMs: 1, attempts: 2 }))).rejects.toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: expect.stringMatching(/EchoService\.EchoUser can't be hedged.*idempotency_level/),
    });
  });

  it("doesn't wait when an attempt fails, and gives up with the last of them", async () => {
    let calls = 0;
    await using fleet = await startFleet(2, () => ({
      echo() {
        throw new ConnectError(`failure ${++calls}`, Code.Unavailable);
      },
    }));
    using client = open(fleet.addresses);
    await expect(
      client.echo({ text: "x" }, { timeoutMs: 5000, ...hedged({ delayMs: 60_000, attempts: 3 }) }),
    ).rejects.toMatchObject({ code: Code.Unavailable, rawMessage: "failure 3" });
    expect(calls).toBe(3);
  });

  it("ends with an answer that is final, and cancels the rest", async () => {
    const aborted: number[] = [];
    let calls = 0;
    await using fleet = await startFleet(2, () => ({
      async echo(_request, { signal }) {
        const call = ++calls;
        if (call === 2) {
          throw new ConnectError("no such thing", Code.NotFound);
        }
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        aborted.push(call);
        return {};
      },
    }));
    using client = open(fleet.addresses);
    await expect(client.echo({ text: "x" }, hedged({ delayMs: 20, attempts: 3 }))).rejects.toMatchObject({
      code: Code.NotFound,
    });
    await expect.poll(() => aborted, patience).toEqual([1]);
    expect(calls).toBe(2);
  });

  it("is cancelled as a whole", async () => {
    const aborted: number[] = [];
    const cancel = new AbortController();
    let calls = 0;
    await using fleet = await startFleet(3, (index) => ({
      async echo(_request, { signal }) {
        if (++calls === 3) {
          cancel.abort();
        }
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        aborted.push(index);
        return {};
      },
    }));
    using client = open(fleet.addresses);
    await expect(
      client.echo({ text: "x" }, { signal: cancel.signal, ...hedged({ delayMs: 10, attempts: 3 }) }),
    ).rejects.toMatchObject({ code: Code.Canceled });
    await expect.poll(() => aborted.length, patience).toBe(3);
  });

  it.each([
    ["no more attempts", { "grpc-retry-pushback-ms": "-1" }],
    ["more time than the call has", { "retry-after": "60" }],
  ])("heeds a server that wants %s", async (_name, headers) => {
    let calls = 0;
    await using fleet = await startFleet(2, () => ({
      echo() {
        calls++;
        throw new ConnectError("not now", Code.Unavailable, headers);
      },
    }));
    using client = open(fleet.addresses);
    await expect(client.echo({ text: "x" }, hedged({ delayMs: 60_000, attempts: 3 }))).rejects.toMatchObject({
      code: Code.Unavailable,
    });
    expect(calls).toBe(1);
  });

  it("is on the budget of retries", async () => {
    let calls = 0;
    await using fleet = await startFleet(2, () => ({
      async echo(_request, { signal }) {
        calls++;
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        return {};
      },
    }));
    using client = open(fleet.addresses);
    const how = { timeoutMs: 60_000, ...hedged({ delayMs: 10, attempts: 3 }) };
    const results = Promise.allSettled(Array.from({ length: 50 }, () => client.echo({ text: "x" }, how)));
    await expect.poll(() => calls, patience).toBe(60);
    await sleep(100);
    client[Symbol.dispose]();
    await results;
    expect(calls).toBe(60);
  });

  it("is tried elsewhere at once when a server is gone", async () => {
    await using fleet = await startFleet(2);
    using client = open(fleet.addresses);
    await fleet.members[0]?.stop(0);
    for (let i = 0; i < 4; i++) {
      expect((await client.echo({ text: "x" }, hedged({ delayMs: 60_000, attempts: 2 }))).text).toBe("1");
    }
  });
});
