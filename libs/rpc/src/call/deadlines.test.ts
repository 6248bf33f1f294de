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
    vi.advanceTimersByTime(250);
    expect(vi.getTimerCount()).toBe(0);
    deadlines.watch(item("again", 5));
    vi.advanceTimersByTime(20);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("look when the first end comes, and not all the time", () => {
    let looks = 0;
    const deadlines = createDeadlines<Item>(
      () => {},
      () => Date.now(),
    );
    const watched: Item = {
      name: "slow",
      get expiresAt() {
        looks++;
        return 10_000;
      },
    };
    vi.setSystemTime(0);
    deadlines.watch(watched);
    vi.advanceTimersByTime(2_000);
    expect(looks).toBeLessThan(40);
  });

  it("end one that comes later and must end sooner", () => {
    const { deadlines, expired, item } = start();
    deadlines.watch(item("late", 240));
    vi.advanceTimersByTime(5);
    deadlines.watch(item("sooner", 15));
    vi.advanceTimersByTime(25);
    expect(expired).toEqual(["sooner"]);
  });

  it("end what is watched while another one ends", () => {
    const expired: string[] = [];
    const deadlines = createDeadlines<Item>(
      ({ name }) => {
        expired.push(name);
        if (name === "first") deadlines.watch({ name: "second", expiresAt: Date.now() + 12 });
      },
      () => Date.now(),
    );
    deadlines.watch({ name: "first", expiresAt: Date.now() + 20 });
    deadlines.watch({ name: "other", expiresAt: Date.now() + 200 });
    vi.advanceTimersByTime(45);
    expect(expired).toEqual(["first", "second"]);
  });
});
