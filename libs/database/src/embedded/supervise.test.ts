import { describe, expect, it } from "vitest";
import type { Postmaster } from "./postmaster.ts";
import { supervise } from "./supervise.ts";

const quiet = { info() {}, warn() {}, error() {} };

/** Something that runs until it is killed or stopped. */
function running(): Postmaster & { kill(): void; stopped: boolean } {
  const { promise: exited, resolve } = Promise.withResolvers<string>();
  const postmaster = {
    exited,
    stopped: false,
    kill: () => resolve("killed"),
    async stop() {
      postmaster.stopped = true;
      resolve("stopped");
    },
  };
  return postmaster;
}

describe("supervise", () => {
  it("starts another when one ends, until told to stop", async () => {
    const [first, second] = [running(), running()];
    const { promise: started, resolve } = Promise.withResolvers<void>();
    const supervisor = supervise(
      first,
      async () => {
        resolve();
        return second;
      },
      quiet,
    );
    first.kill();
    await started;
    await supervisor.stop();
    expect([first.stopped, second.stopped]).toEqual([false, true]);
  });

  it("stops one that is just being started", async () => {
    const [first, second] = [running(), running()];
    const asked = Promise.withResolvers<void>();
    const ready = Promise.withResolvers<Postmaster>();
    const supervisor = supervise(
      first,
      () => {
        asked.resolve();
        return ready.promise;
      },
      quiet,
    );
    first.kill();
    await asked.promise;
    const stopping = supervisor.stop();
    ready.resolve(second);
    await stopping;
    expect(second.stopped).toBe(true);
  });

  it("starts none when it is told to stop meanwhile", async () => {
    const first = running();
    let starts = 0;
    const start = async () => {
      starts++;
      return running();
    };
    const supervisor = supervise(first, start, quiet);
    first.kill();
    await first.exited;
    await supervisor.stop();
    expect(starts).toBe(0);
  });

  it("gives up after a bounded number of failures", async () => {
    const first = running();
    const errors: string[] = [];
    const { promise: gaveUp, resolve } = Promise.withResolvers<void>();
    let starts = 0;
    const supervisor = supervise(
      first,
      async () => {
        starts++;
        throw new Error("no");
      },
      {
        ...quiet,
        error(_, message) {
          errors.push(message);
          if (message.startsWith("Postgres fails again")) resolve();
        },
      },
      { firstPauseMs: 1 },
    );
    first.kill();
    await gaveUp;
    await supervisor.stop();
    expect(starts).toBe(8);
    expect(errors.filter((message) => message === "Postgres could not be started again")).toHaveLength(8);
  });
});
