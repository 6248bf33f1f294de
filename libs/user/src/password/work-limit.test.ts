import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createWorkLimit } from "./work-limit.ts";

const forever = new AbortController().signal;

describe("createWorkLimit", () => {
  it("runs every task, never more at a time than allowed", async () => {
    const steps = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (ticks, concurrent) => {
        const limit = createWorkLimit({ concurrent, queued: 30 });
        let running = 0;
        let most = 0;
        const results = ticks.map((count, index) =>
          limit.run(forever, async () => {
            running += 1;
            most = Math.max(most, running);
            for (let tick = 0; tick < count; tick++) await Promise.resolve();
            running -= 1;
            if (index % 3 === 0) throw new Error("a task fails");
            return index;
          }),
        );
        const settled = await Promise.allSettled(results);
        expect(settled.map(({ status }) => status)).toEqual(
          ticks.map((_, index) => (index % 3 === 0 ? "rejected" : "fulfilled")),
        );
        expect(most).toBeLessThanOrEqual(concurrent);
        expect(await limit.run(forever, async () => "free again")).toBe("free again");
      }),
    );
  });

  it("refuses more than the queue holds", async () => {
    const limit = createWorkLimit({ concurrent: 1, queued: 1 });
    const end = Promise.withResolvers<void>();
    const first = limit.run(forever, () => end.promise);
    const second = limit.run(forever, async () => 2);
    await expect(limit.run(forever, async () => 3)).rejects.toMatchObject({
      reason: "exhausted",
      retryAfterSeconds: 2,
    });
    end.resolve();
    await expect(Promise.all([first, second])).resolves.toEqual([undefined, 2]);
  });

  it("forgets a waiting task that is given up", async () => {
    const limit = createWorkLimit({ concurrent: 1, queued: 1 });
    const end = Promise.withResolvers<void>();
    const first = limit.run(forever, () => end.promise);
    const controller = new AbortController();
    const second = limit.run(controller.signal, () => Promise.reject(new Error("must not run")));
    controller.abort(new Error("gone"));
    await expect(second).rejects.toThrow("gone");
    const third = limit.run(forever, async () => 3); // the place in the queue is free again
    end.resolve();
    await first;
    expect(await third).toBe(3);
    await expect(limit.run(controller.signal, async () => 4)).rejects.toThrow("gone");
  });
});
