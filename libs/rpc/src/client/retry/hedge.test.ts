import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createBudget } from "./budget.ts";
import { type HedgeVerdict, hedge } from "./hedge.ts";

type Attempt = { startedAt: number; signal: AbortSignal; resolve(value: string): void; reject(error: unknown): void };

/** A hedged call whose attempts end when the test says so. An error is its own verdict. */
function start(options: { delayMs?: number; attempts?: number; budget?: number; signal?: AbortSignal } = {}) {
  const stop = new AbortController();
  const began = performance.now();
  const attempts: Attempt[] = [];
  const { delayMs = 100, attempts: most = 3, budget = 10, signal } = options;
  const result = hedge<string>({
    hedging: { delayMs, attempts: most },
    budget: createBudget({ first: budget, perSuccess: 0, most: budget }),
    signal,
    stop: stop.signal,
    attempt(number, own) {
      expect(number).toBe(attempts.length);
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      attempts.push({ startedAt: performance.now() - began, signal: own, resolve, reject });
      return promise;
    },
    judge: (error) => error as HedgeVerdict,
  });
  const settled = result.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  return { attempts, settled, stop: () => stop.abort(), startedAt: () => attempts.map(({ startedAt }) => startedAt) };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("hedge", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("starts an attempt after each delay, up to its number; the first answer wins and ends the others", async () => {
    const { attempts, settled, startedAt } = start();
    await pass(1000);
    expect(startedAt()).toEqual([0, 100, 200]);
    attempts[1]?.resolve("second");
    expect(await settled).toEqual({ value: "second" });
    expect(attempts.map(({ signal }) => signal.aborted)).toEqual([true, false, true]);
  });

  it("starts no other when the first answers in time", async () => {
    const { attempts, settled } = start();
    await pass(99);
    attempts[0]?.resolve("first");
    await settled;
    await pass(1000);
    expect(attempts).toHaveLength(1);
  });

  it("starts the next at once when one fails, and goes on from there", async () => {
    const { attempts, settled, startedAt } = start();
    await pass(30);
    attempts[0]?.reject("next");
    await pass(1000);
    expect(startedAt()).toEqual([0, 30, 130]);
    attempts[1]?.reject("next");
    attempts[2]?.reject("next");
    expect(await settled).toEqual({ error: "next" });
  });

  it.each([
    [250, [0, 280]],
    ["last", [0]],
  ] as const)("waits as the server says: %s", async (verdict, expected) => {
    const { attempts, settled, startedAt } = start({ attempts: 2 });
    await pass(30);
    attempts[0]?.reject(verdict);
    await pass(1000);
    expect(startedAt()).toEqual(expected);
    attempts[1]?.reject("next");
    expect(await settled).toHaveProperty("error");
  });

  it("waits for those under way when no more may start", async () => {
    const { attempts, settled } = start();
    await pass(150);
    attempts[1]?.reject("last");
    await pass(1000);
    expect(attempts).toHaveLength(2);
    attempts[0]?.resolve("first");
    expect(await settled).toEqual({ value: "first" });
  });

  it("ends with a fatal error", async () => {
    const { attempts, settled } = start();
    await pass(150);
    attempts[1]?.reject("fatal");
    expect(await settled).toEqual({ error: "fatal" });
    expect(attempts[0]?.signal.aborted).toBe(true);
  });

  it("doesn't count an attempt that no server has seen", async () => {
    const { attempts, settled } = start({ attempts: 1, budget: 0 });
    attempts[0]?.reject("again");
    await pass(0);
    attempts[1]?.resolve("there");
    expect(await settled).toEqual({ value: "there" });
  });

  it("starts no more than the budget allows", async () => {
    const { attempts, settled } = start({ attempts: 5, budget: 1 });
    await pass(1000);
    expect(attempts).toHaveLength(2);
    attempts[0]?.reject("next");
    attempts[1]?.reject("next");
    expect(await settled).toEqual({ error: "next" });
  });

  it("is cancelled with all its attempts, at any time", async () => {
    const cancel = new AbortController();
    const { attempts, settled } = start({ signal: cancel.signal });
    await pass(150);
    cancel.abort();
    expect(await settled).toHaveProperty("error.code", 1);
    expect(attempts.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    const late = start({ signal: cancel.signal });
    expect(await late.settled).toHaveProperty("error.code", 1);
    expect(late.attempts).toEqual([]);
  });

  it("starts no more once it is told to stop, and doesn't wait for what would come", async () => {
    const idle = start();
    idle.attempts[0]?.reject(5000);
    await pass(0);
    idle.stop();
    expect(await idle.settled).toEqual({ error: 5000 });
    const busy = start();
    busy.stop();
    await pass(1000);
    expect(busy.attempts).toHaveLength(1);
    busy.attempts[0]?.resolve("first");
    expect(await busy.settled).toEqual({ value: "first" });
  });

  it("settles, and ends every attempt, whatever they do", async () => {
    const ending = fc.record({
      after: fc.nat(300),
      index: fc.nat(3),
      how: fc.constantFrom<HedgeVerdict | "resolve">("resolve", "fatal", "next", "last", 0, 50),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(ending, { maxLength: 12 }), fc.nat(3), async (endings, budget) => {
        const { attempts, settled } = start({ budget });
        for (const { after, index, how } of endings) {
          await pass(after);
          const attempt = attempts[index];
          if (how === "resolve") {
            attempt?.resolve("answer");
          } else {
            attempt?.reject(how);
          }
        }
        for (const attempt of attempts) {
          attempt.reject("last");
        }
        await pass(2000);
        for (const attempt of attempts) {
          attempt.reject("last");
        }
        await settled;
        expect(attempts.length).toBeLessThanOrEqual(Math.min(3, 1 + budget));
        await pass(1000);
      }),
      { numRuns: 50 },
    );
  });
});
