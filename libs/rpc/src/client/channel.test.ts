import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { recordingLogger } from "../testing/recording-logger.ts";
import { type Channel, createChannel } from "./channel.ts";
import { type Address, formatAddress } from "./endpoint/address.ts";
import type { Endpoint } from "./endpoint/endpoint.ts";
import { parseTarget } from "./target.ts";

type Fake = Omit<Endpoint, "state" | "inFlight"> & {
  state: Endpoint["state"];
  inFlight: number;
  log: string[];
  /** An attempt to connect ends, or a connection does. */
  become(state: Endpoint["state"]): void;
};

function createFake(address: Address): Fake {
  const name = formatAddress(address);
  let attempt = Promise.withResolvers<void>();
  const fake: Fake = {
    address,
    url: `http://${name}`,
    state: "idle",
    inFlight: 0,
    log: [],
    connect() {
      fake.log.push("connect");
      if (fake.state === "idle") {
        fake.state = "connecting";
      }
      return attempt.promise;
    },
    become(state) {
      fake.state = state;
      attempt.resolve();
      attempt = Promise.withResolvers();
    },
    drain() {
      fake.log.push("drain");
    },
    close() {
      fake.log.push("close");
    },
    unary: () => Promise.reject(new Error("not here")),
    request: () => Promise.reject(new Error("not here")),
  };
  return fake;
}

/** A channel over endpoints that do nothing, connected from the start unless told otherwise. */
function start(target: string | string[], answers: (string[] | Error)[] = [], state: Endpoint["state"] = "ready") {
  const fakes: Fake[] = [];
  const logger = recordingLogger();
  const channel = createChannel({
    target: parseTarget(target, false),
    createEndpoint(address) {
      const fake = createFake(address);
      fake.state = state;
      fakes.push(fake);
      return fake;
    },
    lookup: async () => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return answer instanceof Error || answer === undefined ? Promise.reject(answer) : answer;
    },
    logger,
  });
  return { channel, fakes, lines: logger.lines };
}

const call = { signal: undefined, deadline: undefined };

/** Which endpoints get `count` calls that are made one after the other, all equally quick. */
async function picked(channel: Channel, count: number): Promise<Set<string>> {
  const urls = new Set<string>();
  for (let i = 0; i < count; i++) {
    const endpoint = await channel.pick(call);
    channel.report(endpoint, 1, "ok");
    urls.add(endpoint.url);
  }
  return urls;
}

describe("createChannel", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("has nothing to choose with a single address, and picks it at once", () => {
    const { channel, fakes } = start("http://a:1");
    expect(channel.balanced).toBe(false);
    expect(channel.pick(call)).toBe(fakes[0]);
    expect(channel.hasOther(new Set())).toBe(false);
    channel.close();
    expect(fakes[0]?.log).toEqual(["close"]);
  });

  it("connects to all when the first call comes, which goes to the first that is there", async () => {
    const { channel, fakes } = start(["a:1", "b:1", "c:1"], [], "idle");
    expect(fakes).toEqual([]);
    const first = channel.pick(call);
    const second = channel.pick(call);
    expect(fakes.map(({ state }) => state)).toEqual(["connecting", "connecting", "connecting"]);
    fakes[0]?.become("backoff");
    await vi.advanceTimersByTimeAsync(100);
    fakes[2]?.become("ready");
    await vi.advanceTimersByTimeAsync(50);
    expect(await Promise.all([first, second])).toEqual([fakes[2], fakes[2]]);
    channel.close();
  });

  it("shares the first calls among endpoints that are connected at about the same time", async () => {
    const { channel, fakes } = start(["a:1", "b:1", "c:1"], [], "idle");
    const calls = Promise.all([channel.pick(call), channel.pick(call)]);
    await vi.advanceTimersByTimeAsync(20);
    fakes[0]?.become("ready");
    await vi.advanceTimersByTimeAsync(19);
    fakes[1]?.become("ready");
    await vi.advanceTimersByTimeAsync(1);
    expect(new Set(await calls)).toEqual(new Set(fakes.slice(0, 2)));
    channel.close();
  });

  it("gives a call any endpoint when none can be connected, and lets it wait no longer than it wants to", async () => {
    const { channel, fakes } = start(["a:1", "b:1"], [], "idle");
    const late = channel.pick({ signal: undefined, deadline: performance.now() + 50 });
    const waiting = channel.pick(call);
    void vi.advanceTimersByTimeAsync(50);
    await expect(late).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    fakes[0]?.become("backoff");
    fakes[1]?.become("backoff");
    expect(fakes).toContain(await waiting);
    channel.close();
  });

  it("prefers what is connected, and tries the others again and again, spaced out", async () => {
    const { channel, fakes } = start(["a:1", "b:1", "c:1"]);
    await channel.pick(call);
    fakes[0]?.become("backoff");
    fakes[1]?.become("connecting");
    expect(await picked(channel, 10)).toEqual(new Set(["http://c:1"]));
    expect(fakes.map(({ log }) => log)).toEqual([["connect"], [], []]);
    vi.advanceTimersByTime(250);
    await picked(channel, 10);
    expect(fakes.map(({ log }) => log.length)).toEqual([2, 0, 0]);
    fakes[1]?.become("backoff");
    fakes[2]?.become("backoff");
    expect((await picked(channel, 10)).size).toBe(3);
    channel.close();
  });

  it("ejects what fails while others answer, and takes it back in time", async () => {
    const { channel, fakes, lines } = start(["a:1", "b:1"]);
    await picked(channel, 10);
    const [bad] = fakes;
    const failFive = () => {
      for (let i = 0; i < 5 && bad !== undefined; i++) {
        vi.advanceTimersByTime(100);
        channel.report(bad, 0.01, "fault");
      }
    };
    failFive();
    expect(lines).toMatchObject([{ level: "warn", fields: { url: "http://a:1" } }]);
    for (let i = 0; i < 60; i++) {
      vi.advanceTimersByTime(490);
      expect(await picked(channel, 20)).toEqual(new Set(["http://b:1"]));
    }
    vi.advanceTimersByTime(1000);
    expect(await picked(channel, 300)).toEqual(new Set(["http://a:1", "http://b:1"]));
    // Better an endpoint that failed than one that isn't there.
    failFive();
    fakes[1]?.become("backoff");
    expect(await picked(channel, 3)).toEqual(new Set(["http://a:1"]));
    channel.close();
  });

  it("picks another than those to avoid, if there is one", async () => {
    const { channel, fakes } = start(["a:1", "b:1"]);
    const first = await channel.pick(call);
    const second = await channel.pick(call, new Set([first]));
    expect(second).not.toBe(first);
    expect(channel.hasOther(new Set([first]))).toBe(true);
    expect(channel.hasOther(new Set(fakes))).toBe(false);
    expect(fakes).toContain(await channel.pick(call, new Set(fakes)));
    channel.close();
  });

  it("lets endpoints of a name go gently that are no longer among its addresses, and keeps the others", async () => {
    const { channel, fakes } = start("dns:///api:1", [
      ["10.0.0.1", "10.0.0.2"],
      ["10.0.0.2", "10.0.0.3"],
    ]);
    expect(fakes).toContain(await channel.pick(call));
    Object.assign(fakes[0] ?? {}, { inFlight: 1 });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(fakes.map(({ url, log }) => [url, log.at(-1)])).toEqual([
      ["http://10.0.0.1:1", "drain"],
      ["http://10.0.0.2:1", undefined],
      ["http://10.0.0.3:1", undefined],
    ]);
    expect(await picked(channel, 10)).toEqual(new Set(["http://10.0.0.2:1", "http://10.0.0.3:1"]));
    const [left] = fakes;
    if (left !== undefined) {
      // A call that was under way there ends.
      channel.report(left, 1, "ok");
    }
    channel.close();
    expect(fakes.map(({ log }) => log.at(-1))).toEqual(["close", "close", "close"]);
  });

  it("keeps what it knows of a name that can't be looked up any more", async () => {
    const { channel, fakes, lines } = start("dns:///api:1", [["10.0.0.1"], new Error("down")]);
    await channel.pick(call);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(await channel.pick(call)).toBe(fakes[0]);
    expect(lines).toMatchObject([{ level: "warn", message: expect.stringContaining("down") }]);
    channel.close();
  });

  it("says when a name can be looked up again, and complains anew the next time", async () => {
    const bad = new Error("down");
    const { channel, lines } = start("dns:///api:1", [["10.0.0.1"], bad, ["10.0.0.1"], bad]);
    await channel.pick(call);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(lines.map(({ level }) => level)).toEqual(["warn", "info", "warn"]);
    channel.close();
  });

  it("looks a name up again soon after a call failed", async () => {
    const { channel, fakes } = start("dns:///api:1", [["10.0.0.1"], ["10.0.0.9"]]);
    const first = await channel.pick(call);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(fakes).toHaveLength(1);
    channel.report(first, 1, "unseen");
    await vi.advanceTimersByTimeAsync(0);
    expect(fakes.map(({ url }) => url)).toEqual(["http://10.0.0.1:1", "http://10.0.0.9:1"]);
    channel.close();
  });

  it("leaves no timer when it is closed, and fails those who wait", async () => {
    const { channel } = start("dns:///api:1", [["10.0.0.1"]]);
    const waiting = channel.pick({ signal: new AbortController().signal, deadline: performance.now() + 1000 });
    channel.close();
    await expect(waiting).rejects.toMatchObject({ message: expect.stringContaining("this transport is closed") });
    await expect(channel.pick(call)).rejects.toMatchObject({ message: expect.stringContaining("closed") });
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
