import { setTimeout as sleep } from "node:timers/promises";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import type { LeaseTaskRequest, Task, WorkerService } from "@kinora/proto-encoder";
import { type Backoff, backoffMs } from "./backoff.ts";
import type { MemoryPlace } from "./memory-budget.ts";
import type { Outage } from "./outage.ts";
import { retryBackoff } from "./retry.ts";
import { createSlot } from "./slot.ts";
import type { Outcome } from "./work.ts";

/** How long the encoder may hold a call until there is work, in milliseconds. */
const longPollMs = 20_000;
/** Time on top for the call itself. */
const callMarginMs = 10_000;
/** After a fault of this machine: don't burn a task's few attempts at full speed. */
const faultBackoff: Backoff = { baseMs: 1_000, maxMs: 30_000 };

/** What a worker states about itself and the tasks that it wants. */
export type Offer = Pick<LeaseTaskRequest, "workerId" | "encoders" | "kinds" | "slots" | "cores" | "memoryBytes">;

/** One slot: leases tasks and does them, the next one as the last one drains, until `signal`. Never throws. */
export async function leaseLoop(deps: {
  client: Client<typeof WorkerService>;
  offer: Offer;
  outage: Outage;
  work: (task: Task, place: MemoryPlace, onDraining: () => void) => Promise<Outcome>;
  /** Memory for the next task; waits for it, if need be. Undefined once the signal aborts. */
  takePlace: (signal: AbortSignal) => Promise<MemoryPlace | undefined>;
  signal: AbortSignal;
}): Promise<void> {
  const { client, offer, outage, work, takePlace, signal } = deps;
  let failures = 0;
  let faults = 0;
  const slot = createSlot();
  const begin = (task: Task, place: MemoryPlace) =>
    slot.begin(async (draining) => {
      try {
        const outcome = await work(task, place, draining);
        faults = outcome === "machine fault" || outcome === "unreachable" ? faults + 1 : 0;
      } finally {
        place.close();
      }
    });
  for (;;) {
    const place = await takePlace(signal);
    if (place === undefined) break;
    let task: Task | undefined;
    // After a failure, a short call first: it tells at once that the encoder is back.
    const waitMs = failures > 0 ? 0 : longPollMs;
    try {
      const answer = await client.leaseTask(
        { ...offer, wait: durationFromMs(waitMs) },
        { signal, timeoutMs: waitMs + callMarginMs },
      );
      outage.ended();
      failures = 0;
      task = answer.task;
    } catch (error) {
      place.close();
      if (signal.aborted) break;
      outage.failed(error);
      await pause(backoffMs(failures++, retryBackoff), signal);
      continue;
    }
    if (task === undefined) place.close();
    else {
      await begin(task, place);
      if (faults > 0) await pause(backoffMs(faults - 1, faultBackoff), signal);
    }
  }
  await slot.idle();
}

/** Waits, or less when the signal comes. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
