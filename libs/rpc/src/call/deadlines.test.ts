import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDeadlines, type Expiring } from "./deadlines.ts";

type Item = Expiring & { name: string };

describe("deadlines", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function start() {
    const expired: string[] = [];
    const deadlines = createDeadlines<Item>(
      ({ name }) => expired.push(name),
      () => Date.now(),
    );
    const item = (name: string, ms: number): Item => ({ name, expiresAt: Date.now() + ms });
    return { deadlines, expired, item };
  }

  it("end each item once, at most a tick late, and never early", () => {
    const { deadlines, expired, item } = start();
    deadlines.watch(item("soon", 25));
    deadlines.watch(item("later", 100));
    vi.advanceTimersByTime(24);
    expect(expired).toEqual([]);
    vi.advanceTimersByTime(11);
    expect(expired).toEqual(["soon"]);
    vi.advanceTimersByTime(1000);
    expect(expired).toEqual(["soon", "later"]);
  });

  it("end nothing that is forgotten, and follow what is put off", () => {
    const { deadlines, expired, item } = start();
    const forgotten = item("forgotten", 20);
    const late = item("put off", 20);
    deadlines.watch(forgotten);
    deadlines.watch(late);
    deadlines.forget(forgotten);
    late.expiresAt += 1000;
    vi.advanceTimersByTime(500);
    expect(expired).toEqual([]);
    vi.advanceTimersByTime(600);
    expect(expired).toEqual(["put off"]);
  });

  it("keep no timer once there is nothing to watch", () => {
    const { deadlines, item } = start();
    const only = item("only", 1000);
    deadlines.watch(only);
    expect(vi.getTimerCount()).toBe(1);
    deadlines.forget(only);
    vi.advanceTimersByTime(20);
    expect(vi.getTimerCount()).toBe(0);
    deadlines.watch(item("again", 5));
    vi.advanceTimersByTime(20);
    expect(vi.getTimerCount()).toBe(0);
  });
});
