import { expect, it } from "vitest";
import { createWakeups } from "./wakeups.ts";

const hour = 3_600_000;

it("wakes everybody who waits for a key, and nobody else", async () => {
  const wakeups = createWakeups();
  const woken: string[] = [];
  const a = ["a1", "a2"].map((name) => wakeups.wait("a", hour).then(() => woken.push(name)));
  const stop = new AbortController();
  const b = wakeups.wait("b", hour, stop.signal).then(() => woken.push("b"));
  wakeups.notify("a");
  wakeups.notify("nobody");
  await Promise.all(a);
  expect(woken).toEqual(["a1", "a2"]);
  stop.abort();
  await b;
  expect(woken).toEqual(["a1", "a2", "b"]);
});

it("ends a wait by itself", async () => {
  const wakeups = createWakeups();
  await wakeups.wait("a", 5);
  await wakeups.wait("a", 0);
  await wakeups.wait("a", hour, AbortSignal.abort());
});

it("lets a woken one wait again at once", async () => {
  const wakeups = createWakeups();
  let again: Promise<void> | undefined;
  const first = wakeups.wait("a", hour).then(() => {
    again = wakeups.wait("a", hour);
  });
  wakeups.notify("a");
  await first;
  wakeups.notify("a");
  await again;
});
