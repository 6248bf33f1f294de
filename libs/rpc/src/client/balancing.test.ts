import { constants } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { freePort } from "@kinora/testing";
import { describe, expect, it } from "vitest";
import { createCertificateAuthority } from "../testing/certificates.ts";
import { startRawServer } from "../testing/raw-server.ts";
import { startFleet } from "../testing/start-fleet.ts";
import { startServer } from "../testing/start-server.ts";
import { type ClientTransportOptions, createClientTransport } from "./client-transport.ts";

function open(baseUrl: ClientTransportOptions["baseUrl"], options: Partial<ClientTransportOptions> = {}) {
  const transport = createClientTransport({ baseUrl, token: "user", ...options });
  const client = createClient(EchoService, transport);
  return { ...client, [Symbol.dispose]: () => transport.close() };
}

type Client = ReturnType<typeof open>;

/** Makes calls, `inFlight` at a time, while `during` runs; returns how each ended. */
async function underLoad(call: () => Promise<unknown>, inFlight: number, during: () => Promise<void>) {
  const errors: unknown[] = [];
  let calls = 0;
  let done = false;
  const worker = async () => {
    while (!done) {
      await call().catch((error) => errors.push(error));
      calls++;
    }
  };
  const workers = Array.from({ length: inFlight }, worker);
  await during();
  done = true;
  await Promise.all(workers);
  return { errors, calls };
}

async function answersOf(client: Client, count: number): Promise<Set<string>> {
  const texts = await Promise.all(Array.from({ length: count }, () => client.echo({ text: "x" })));
  return new Set(texts.map(({ text }) => text));
}

describe("several servers", () => {
  it.each<[string, Partial<ClientTransportOptions>]>([
    ["gRPC", {}],
    ["Connect", { protocol: "connect" }],
    ["gRPC-Web", { protocol: "grpc-web" }],
    ["Connect over HTTP/1.1", { protocol: "connect", httpVersion: "1.1" }],
  ])("share the calls by %s, streams as well", async (_name, options) => {
    await using fleet = await startFleet(3, (index) => ({
      async *count() {
        yield { number: index };
      },
    }));
    using client = open(fleet.addresses, options);
    await expect.poll(() => answersOf(client, 30), { timeout: 10_000 }).toEqual(new Set(["0", "1", "2"]));
    const streams = await Promise.all(Array.from({ length: 30 }, () => Array.fromAsync(client.count({ count: 1 }))));
    expect(new Set(streams.map(([message]) => message?.number))).toEqual(new Set([0, 1, 2]));
  });

  it("fail no idempotent call when one of three is killed", async () => {
    await using fleet = await startFleet(3, (index) => ({
      async echo() {
        await sleep(2);
        return { text: String(index) };
      },
    }));
    using client = open(fleet.addresses);
    await answersOf(client, 30);
    const { errors } = await underLoad(
      () => client.echo({ text: "x" }),
      8,
      async () => {
        await sleep(200);
        await fleet.members[1]?.stop(0);
        await sleep(300);
      },
    );
    expect(errors).toEqual([]);
    expect(await answersOf(client, 30)).toEqual(new Set(["0", "2"]));
  });

  it.each(["echo", "echoUser"] as const)("fail no call of %s when they are restarted in turns", async (method) => {
    await using fleet = await startFleet(2, (index) => ({
      async [method]() {
        await sleep(5);
        return { text: String(index) };
      },
    }));
    using client = open(fleet.addresses);
    const { errors, calls } = await underLoad(
      () => client[method]({ text: "x" }),
      16,
      async () => {
        for (const member of fleet.members) {
          await sleep(100);
          await member.stop();
          await sleep(50);
          const before = member.calls;
          await member.start();
          // It is found again before the other one goes.
          await expect.poll(() => member.calls, { timeout: 10_000 }).toBeGreaterThan(before);
        }
      },
    );
    expect(errors).toEqual([]);
    expect(calls).toBeGreaterThan(50);
  });

  it("let a slow one have few calls", async () => {
    await using fleet = await startFleet(3, (index) => ({
      async echo() {
        await sleep(index === 2 ? 100 : 2);
        return { text: String(index) };
      },
    }));
    using client = open(fleet.addresses);
    await answersOf(client, 3);
    const { calls } = await underLoad(
      () => client.echo({ text: "x" }),
      8,
      () => sleep(1500),
    );
    expect(calls).toBeGreaterThan(300);
    expect((fleet.members[2]?.calls ?? 0) / calls).toBeLessThan(0.05);
  });

  it("are tried in turn until one is there", async () => {
    await using fleet = await startFleet(1);
    const [there = ""] = fleet.addresses;
    const gone = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    for (let i = 0; i < 5; i++) {
      using client = open([...gone, there], { retry: false });
      expect((await client.echoUser({ text: "x" })).text).toBe("0");
    }
  });

  it("are unavailable when none is there, within the call's deadline", async () => {
    using client = open([`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]);
    await expect(client.echo({ text: "x" })).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage: expect.stringMatching(/^can't reach http:\/\/127\.0\.0\.1:\d+: nothing listens there/),
    });
  });

  it("get no more calls once the transport is closed", async () => {
    await using fleet = await startFleet(2);
    const client = open(fleet.addresses);
    await answersOf(client, 10);
    client[Symbol.dispose]();
    await expect(client.echo({ text: "x" })).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage: expect.stringContaining("this transport is closed"),
    });
    await expect(Array.fromAsync(client.count({ count: 1 }))).rejects.toMatchObject({ code: Code.Unavailable });
  });
});

describe("a server that breaks off every call", () => {
  it("gets few of them, though it is quick to", async () => {
    let broken = 0;
    using bad = await startRawServer((stream) => {
      broken++;
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    });
    await using fleet = await startFleet(2);
    using client = open([`127.0.0.1:${bad.port}`, ...fleet.addresses]);
    for (let i = 0; i < 400; i++) {
      await client.echo({ text: "x" }).catch((error) => expect(error).toMatchObject({ code: Code.Internal }));
    }
    expect(broken).toBeGreaterThan(0);
    // A third would be its share.
    expect(broken).toBeLessThan(40);
  });

  it("is known by its streams as well", async () => {
    let broken = 0;
    using bad = await startRawServer((stream) => {
      broken++;
      stream.respond({ ":status": 200, "content-type": "application/grpc+proto" });
      setImmediate(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    });
    await using fleet = await startFleet(2);
    using client = open([`127.0.0.1:${bad.port}`, ...fleet.addresses]);
    for (let i = 0; i < 200; i++) {
      await Array.fromAsync(client.count({ count: 1 })).catch((error) => expect(error).toBeInstanceOf(ConnectError));
    }
    expect(broken).toBeGreaterThan(0);
    expect(broken).toBeLessThan(40);
  });

  it("is left alone while others answer", async () => {
    await using fleet = await startFleet(2, (index) => ({
      async echo() {
        if (index === 0) {
          // No answer, but a broken connection.
          await fleet.members[0]?.stop(0);
        }
        return { text: "1" };
      },
    }));
    using client = open(fleet.addresses);
    for (let i = 0; i < 100; i++) {
      expect((await client.echo({ text: "x" })).text).toBe("1");
    }
    expect(fleet.members[0]?.calls).toBeLessThan(10);
  });
});

describe("a name", () => {
  it("stands for all its addresses, and calls follow when those change", async () => {
    await using fleet = await startFleet(1);
    const port = fleet.members[0]?.port ?? 0;
    const asked: string[] = [];
    let addresses = ["127.0.0.1"];
    using client = open(`dns:///api.test:${port}`, {
      retry: false,
      lookup: async (host) => {
        asked.push(host);
        return addresses;
      },
    });
    expect((await client.echoUser({ text: "x" })).text).toBe("0");
    expect(asked).toEqual(["api.test"]);
    // Linux answers at all of 127/8; nothing listens at this one.
    addresses = ["127.0.0.2"];
    await fleet.members[0]?.stop(0);
    await expect(client.echoUser({ text: "x" })).rejects.toMatchObject({ code: Code.Unavailable });
    // The failure makes it look up again, and then the address has changed.
    await expect
      .poll(() => client.echoUser({ text: "x" }).catch((error) => error.rawMessage), { timeout: 10_000, interval: 100 })
      .toContain(`can't reach http://127.0.0.2:${port}`);
    addresses = ["127.0.0.1"];
    await fleet.members[0]?.start();
    await expect
      .poll(
        () =>
          client.echoUser({ text: "x" }).then(
            ({ text }) => text,
            () => "",
          ),
        { timeout: 10_000, interval: 100 },
      )
      .toBe("0");
  });

  it("that has no address fails calls with the reason, until it has one", async () => {
    await using fleet = await startFleet(1);
    let known = false;
    using client = open(`dns:///api.test:${fleet.members[0]?.port}`, {
      lookup: async () => {
        if (!known) {
          throw Object.assign(new Error("getaddrinfo ENOTFOUND api.test"), { code: "ENOTFOUND" });
        }
        return ["127.0.0.1"];
      },
    });
    await expect(client.echo({ text: "x" })).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage: `can't reach dns:///api.test:${fleet.members[0]?.port}: its host name is unknown`,
    });
    known = true;
    await expect
      .poll(
        () =>
          client.echo({ text: "x" }).then(
            ({ text }) => text,
            () => "",
          ),
        { timeout: 10_000, interval: 100 },
      )
      .toBe("0");
  });

  it("that isn't answered for is waited for within the call's time, and no longer", async () => {
    using client = open("dns:///api.test:1", { lookup: () => new Promise(() => {}) });
    await expect(client.echo({ text: "x" }, { timeoutMs: 50 })).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    const cancel = new AbortController();
    const cancelled = client.echo({ text: "x" }, { signal: cancel.signal });
    cancel.abort();
    await expect(cancelled).rejects.toMatchObject({ code: Code.Canceled });
    const closed = client.echo({ text: "x" });
    client[Symbol.dispose]();
    await expect(closed).rejects.toMatchObject({ code: Code.Unavailable });
  });

  it("is what a certificate must be for, not the address", async () => {
    const authority = createCertificateAuthority();
    await using server = await startServer({ tls: authority.issue("api.test") });
    const options = { tls: { ca: authority.ca }, lookup: async () => ["127.0.0.1"] };
    using client = open(`dns:///api.test:${server.port}`, options);
    expect((await client.echo({ text: "x" })).text).toBe("x");
    using other = open(`dns:///other.test:${server.port}`, options);
    await expect(other.echo({ text: "x" })).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage: expect.stringContaining("its certificate is for another name"),
    });
  });

  it("is looked up by the system otherwise", async () => {
    await using fleet = await startFleet(1);
    using client = open(`dns:///localhost:${fleet.members[0]?.port}`);
    expect((await client.echo({ text: "x" })).text).toBe("0");
  });
});

describe("a target that can't be", () => {
  it("is refused when the transport is made", () => {
    expect(() => createClientTransport({ baseUrl: "localhost:8080" })).toThrow(
      /can't call the target "localhost:8080"/,
    );
    expect(() => createClientTransport({ baseUrl: [] })).toThrow(TypeError);
  });
});
