import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { recordingLogger } from "../testing/recording-logger.ts";
import { createKeyCredential, type KeyCredential } from "./key-credential.ts";

// Time is the test's: a credential lives by its timer.
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const minutes = 60_000;
const tokenOf = (number: number): string => {
  const iat = 1_000_000; // of a machine whose clock is elsewhere
  return `h.${Buffer.from(JSON.stringify({ iat, exp: iat + 600, number })).toString("base64url")}.s`;
};

let credential: KeyCredential;
let asked: number;
let random: number;
let answer: () => Promise<{ accessToken: string }>;
const lines: string[] = [];

beforeEach(() => {
  asked = 0;
  random = 0;
  lines.length = 0;
  answer = async () => ({ accessToken: tokenOf(asked) });
  credential = createKeyCredential({
    logger: recordingLogger(lines),
    random: () => random,
    exchange(signal) {
      asked += 1;
      signal.throwIfAborted();
      return answer();
    },
  });
});
afterEach(() => credential.close());

const away = async () => {
  throw new ConnectError("nobody listens", Code.Unavailable);
};
const faultOf = async (call: Promise<unknown>) => {
  const { code, rawMessage } = ConnectError.from(
    await call.then(
      () => new Error("it has a token"),
      (error: unknown) => error,
    ),
  );
  return { code, message: rawMessage };
};

describe("the credential of a key", () => {
  it("is exchanged once for all who ask at the same time, and not before anybody does", async () => {
    expect(asked).toBe(0);
    const all = await Promise.all([credential.token(), credential.token(), credential.token()]);
    expect(new Set(all)).toEqual(new Set([tokenOf(1)]));
    expect(asked).toBe(1);
  });

  it("is renewed at half of its life, without anybody asking", async () => {
    await credential.token();
    await vi.advanceTimersByTimeAsync(5 * minutes - 1);
    expect(asked).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await credential.token()).toBe(tokenOf(2));
    await vi.advanceTimersByTimeAsync(60 * minutes);
    expect(asked).toBe(14);
    expect(lines).toEqual([]);
  });

  it("is renewed somewhat sooner by some, so that a fleet doesn't ask all at once", async () => {
    random = 1;
    await credential.token();
    await vi.advanceTimersByTimeAsync(0.75 * 5 * minutes);
    expect(asked).toBe(2);
  });

  it("stays what it is while the user service is away, until its end, and says so once", async () => {
    await credential.token();
    answer = away;
    await vi.advanceTimersByTimeAsync(9 * minutes);
    expect(await credential.token()).toBe(tokenOf(1));
    expect(lines).toEqual([expect.stringMatching(/^warn .*couldn't be renewed; the one there is good for 300 s more/)]);
    await vi.advanceTimersByTimeAsync(minutes);
    expect(await faultOf(credential.token())).toEqual({
      code: Code.Unavailable,
      message: expect.stringContaining("nobody listens"),
    });
    expect(lines.slice(1)).toEqual([expect.stringMatching(/^error .*there is no access token/)]);
    answer = async () => ({ accessToken: tokenOf(7) });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await credential.token()).toBe(tokenOf(7));
    expect(lines.slice(2)).toEqual([expect.stringMatching(/^info .*again/)]);
  });

  it("is asked for no faster than a service bears that comes back", async () => {
    answer = away;
    for (let second = 0; second < 60; second++) {
      for (let call = 0; call < 20; call++) await credential.token().catch(() => {});
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(asked).toBeLessThan(16);
    expect(lines).toHaveLength(1);
  });

  it("that is refused is told from one that can't be exchanged now", async () => {
    answer = async () => {
      throw new ConnectError("this API key isn't valid", Code.Unauthenticated);
    };
    expect(await faultOf(credential.token())).toEqual({
      code: Code.Unauthenticated,
      message: "the user service refuses this process's API key (this API key isn't valid)",
    });
  });

  it("lets a caller go who gives up, and still comes for the others", async () => {
    let give = (_: { accessToken: string }) => {};
    answer = () => new Promise((resolve) => (give = resolve));
    const caller = new AbortController();
    const [gone, staying] = [credential.token(caller.signal), credential.token()];
    const reason = faultOf(gone);
    caller.abort(new ConnectError("enough", Code.Canceled));
    expect((await reason).code).toBe(Code.Canceled);
    give({ accessToken: tokenOf(1) });
    expect(await staying).toBe(tokenOf(1));
  });

  it("keeps its token to the end, but exchanges no more, once it is closed", async () => {
    await credential.token();
    credential.close();
    expect(await credential.token()).toBe(tokenOf(1));
    await vi.advanceTimersByTimeAsync(10 * minutes);
    expect((await faultOf(credential.token())).code).toBe(Code.Unavailable);
    expect(asked).toBe(1);
  });

  it.each(["", "a.b.c", `h.${Buffer.from("{}").toString("base64url")}.s`])(
    "takes no nonsense: %j",
    async (accessToken) => {
      answer = async () => ({ accessToken });
      expect((await faultOf(credential.token())).code).toBe(Code.Unavailable);
    },
  );
});
