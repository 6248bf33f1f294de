import { Code, ConnectError, createClient, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { sendIdempotencyKeys } from "../../idempotency/idempotency-key.ts";
import { startFleet } from "../../testing/start-fleet.ts";
import { type ClientTransportOptions, createClientTransport } from "../client-transport.ts";
import { retryKey } from "./call-options.ts";

/** Servers whose calls fail as told, by the number of the call: undefined for those that go well. */
async function start(servers: number, fail: (call: number, context: HandlerContext) => unknown) {
  const seen: { server: number; attempts: string | null }[] = [];
  const answer = (index: number) => (_request: unknown, context: HandlerContext) => {
    seen.push({ server: index, attempts: context.requestHeader.get("grpc-previous-rpc-attempts") });
    const error = fail(seen.length, context);
    if (error !== undefined) {
      throw error;
    }
    return { text: "ok" };
  };
  const fleet = await startFleet(servers, (index) => ({ echo: answer(index), echoUser: answer(index) }));
  return { fleet, seen };
}

function open(baseUrl: ClientTransportOptions["baseUrl"], options: Partial<ClientTransportOptions> = {}) {
  const transport = createClientTransport({ baseUrl, token: "user", ...options });
  return { ...createClient(EchoService, transport), [Symbol.dispose]: () => transport.close() };
}

const unavailable = (headers: Record<string, string> = {}) => new ConnectError("not now", Code.Unavailable, headers);

describe.each(["grpc", "connect", "grpc-web"] as const)("an idempotent call by %s", (protocol) => {
  it("is tried three times, at other servers, and says so", async () => {
    const { fleet, seen } = await start(3, (call) => (call < 3 ? unavailable() : undefined));
    await using _ = fleet;
    using client = open(fleet.addresses, { protocol });
    expect((await client.echo({ text: "x" })).text).toBe("ok");
    expect(seen.map(({ attempts }) => attempts)).toEqual([null, "1", "2"]);
    expect(new Set(seen.map(({ server }) => server)).size).toBe(3);
  });

  it("fails with the last error after that", async () => {
    const { fleet, seen } = await start(1, (call) => new ConnectError(`failure ${call}`, Code.Unavailable));
    await using _ = fleet;
    using client = open(fleet.addresses, { protocol });
    await expect(client.echo({ text: "x" })).rejects.toMatchObject({ code: Code.Unavailable, rawMessage: "failure 3" });
    expect(seen).toHaveLength(3);
  });

  it.each([
    ["-1", 1],
    ["0", 3],
    ["nonsense", 1],
  ])("heeds the server's pushback of %s", async (pushback, attempts) => {
    const { fleet, seen } = await start(1, () => unavailable({ "grpc-retry-pushback-ms": pushback }));
    await using _ = fleet;
    using client = open(fleet.addresses, { protocol });
    await expect(client.echo({ text: "x" })).rejects.toMatchObject({ code: Code.Unavailable });
    expect(seen).toHaveLength(attempts);
  });

  it("isn't tried again when the server wants more time than the call has", async () => {
    const { fleet, seen } = await start(1, () => unavailable({ "retry-after": "60" }));
    await using _ = fleet;
    using client = open(fleet.addresses, { protocol });
    await expect(client.echo({ text: "x" })).rejects.toMatchObject({ code: Code.Unavailable });
    expect(seen).toHaveLength(1);
  });

  it("waits for as long as the server wants", async () => {
    const times: number[] = [];
    const { fleet } = await start(1, (call) => {
      times.push(performance.now());
      return call === 1 ? unavailable({ "grpc-retry-pushback-ms": "150" }) : undefined;
    });
    await using _ = fleet;
    using client = open(fleet.addresses, { protocol });
    await client.echo({ text: "x" });
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(140);
  });

  it("is not tried again after an answer of the application, nor if nobody wants that", async () => {
    const { fleet, seen } = await start(2, (_call, { method }) =>
      method.name === "Echo" ? new ConnectError("no such thing", Code.NotFound) : unavailable(),
    );
    await using _ = fleet;
    using client = open(fleet.addresses, { protocol });
    await expect(client.echo({ text: "x" })).rejects.toMatchObject({ code: Code.NotFound });
    expect(seen).toHaveLength(1);
    // A method that isn't said to be idempotent.
    await expect(client.echoUser({ text: "x" })).rejects.toMatchObject({ code: Code.Unavailable });
    expect(seen).toHaveLength(2);
  });

  it("is tried as often as its caller or the transport says", async () => {
    const { fleet, seen } = await start(1, () => unavailable({ "grpc-retry-pushback-ms": "0" }));
    await using _ = fleet;
    using client = open(fleet.addresses, { protocol, retry: { attempts: 2 } });
    await expect(client.echo({ text: "x" })).rejects.toMatchObject({ code: Code.Unavailable });
    expect(seen).toHaveLength(2);
    const contextValues = createContextValues().set(retryKey, { attempts: 5 });
    await expect(client.echo({ text: "x" }, { contextValues })).rejects.toMatchObject({ code: Code.Unavailable });
    expect(seen).toHaveLength(7);
    const never = createContextValues().set(retryKey, false);
    await expect(client.echo({ text: "x" }, { contextValues: never })).rejects.toMatchObject({
      code: Code.Unavailable,
    });
    expect(seen).toHaveLength(8);
  });

  it("is tried again below its interceptors", async () => {
    const { fleet, seen } = await start(2, (call) => (call === 1 ? unavailable() : undefined));
    await using _ = fleet;
    let intercepted = 0;
    using client = open(fleet.addresses, {
      protocol,
      interceptors: [
        (next) => (request) => {
          intercepted++;
          return next(request);
        },
      ],
    });
    expect((await client.echo({ text: "x" })).text).toBe("ok");
    expect([intercepted, seen.length]).toEqual([1, 2]);
  });

  it("ends while it waits for its next attempt when it is cancelled", async () => {
    const cancel = new AbortController();
    const { fleet, seen } = await start(1, () => {
      setTimeout(() => cancel.abort(), 20);
      return unavailable({ "grpc-retry-pushback-ms": "5000" });
    });
    await using _ = fleet;
    using client = open(fleet.addresses, { protocol });
    await expect(client.echo({ text: "x" }, { signal: cancel.signal })).rejects.toMatchObject({ code: Code.Canceled });
    expect(seen).toHaveLength(1);
  });
});

describe.each(["grpc", "connect", "grpc-web"] as const)("a call that changes something by %s", (protocol) => {
  it("is tried again when it has a key by which the server knows it", async () => {
    const keys = new Set<string | null>();
    const { fleet, seen } = await start(2, (call, { requestHeader }) => {
      keys.add(requestHeader.get("idempotency-key"));
      return call === 1 ? unavailable() : undefined;
    });
    await using _ = fleet;
    using client = open(fleet.addresses, { protocol });
    await client.echoUser({ text: "x" }, { headers: { "idempotency-key": "k1" } });
    expect([seen.length, [...keys]]).toEqual([2, ["k1"]]);
    seen.length = 0;
    keys.clear();
    using keyed = open(fleet.addresses, { protocol, interceptors: [sendIdempotencyKeys()] });
    await keyed.echoUser({ text: "x" });
    expect([seen.length, keys.size]).toEqual([2, 1]);
  });

  it("is tried again when the server asks for it", async () => {
    const { fleet, seen } = await start(1, (call) =>
      call === 1 ? unavailable({ "grpc-retry-pushback-ms": "1" }) : undefined,
    );
    await using _ = fleet;
    using client = open(fleet.addresses, { protocol });
    await client.echoUser({ text: "x" });
    expect(seen).toHaveLength(2);
  });
});

describe("closing the transport", () => {
  it.each([
    ["a retry", undefined],
    ["a hedge", { delayMs: 60_000, attempts: 2 }],
  ])("fails calls that wait for %s, at once", async (_name, hedging) => {
    const { fleet, seen } = await start(2, () => unavailable({ "grpc-retry-pushback-ms": "60000" }));
    await using _ = fleet;
    using client = open(fleet.addresses, hedging === undefined ? {} : { hedging });
    const call = client.echo({ text: "x" }, { timeoutMs: 600_000 });
    await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(1);
    // The answer arrives and the wait begins.
    await client.echoUser({ text: "x" }).catch(() => {});
    client[Symbol.dispose]();
    await expect(call).rejects.toMatchObject({ code: Code.Unavailable });
    expect(seen).toHaveLength(2);
  });
});

describe("retries", () => {
  it("are few when a server always fails: the budget is all there is", async () => {
    const { fleet, seen } = await start(2, () => unavailable({ "grpc-retry-pushback-ms": "0" }));
    await using _ = fleet;
    using client = open(fleet.addresses);
    const calls = 100;
    const results = await Promise.allSettled(Array.from({ length: calls }, () => client.echo({ text: "x" })));
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
    expect(seen.length).toBeGreaterThan(calls);
    expect(seen.length).toBeLessThanOrEqual(calls * 1.1);
  });

  it("are earned by calls that go well", async () => {
    let failing = false;
    const { fleet, seen } = await start(1, () =>
      failing ? unavailable({ "grpc-retry-pushback-ms": "0" }) : undefined,
    );
    await using _ = fleet;
    using client = open(fleet.addresses);
    const call = () => client.echo({ text: "x" }).catch(() => {});
    await Promise.all(Array.from({ length: 100 }, call));
    failing = true;
    await Promise.all(Array.from({ length: 100 }, call));
    // Ten at first, and one for every ten calls.
    expect(seen).toHaveLength(100 + 100 + 20);
  });
});
