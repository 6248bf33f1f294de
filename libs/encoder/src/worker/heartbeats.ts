import type { Context } from "../context.ts";
import { leaseSeconds, leaseStanding } from "../domain/lease.ts";
import type { TaskProgress } from "../domain/progress.ts";
import { type Renewal, type Renewed, renewLeases } from "../store/lease.store.ts";
import { findTask, findTaskAndEncode } from "../store/task.store.ts";
import { type Lease, leaseGone } from "./locked-task.ts";
import { isNewAddressDue, signSource } from "./source-address.ts";

/** What a worker is to do next. */
export type HeartbeatAnswer = {
  proceed: boolean;
  leaseExpires?: Date;
  /** Where to read the source from now on. */
  sourceUrl?: string | undefined;
};

/** Keeps leases. A thousand workers send hundreds of heartbeats a second: those that come at about the same time go to the database together. */
export type Heartbeats = {
  /** Keeps a lease and notes its progress; throws `aborted` if it doesn't count any more. */
  beat(lease: Lease, progress: TaskProgress): Promise<HeartbeatAnswer>;
};

/** How long a heartbeat waits for others, in milliseconds, and how many go together. */
const gatherMs = 20;
const batch = 500;

type Waiting = { renewal: Renewal; resolve(renewed: Renewed | undefined): void; reject(error: unknown): void };

/** Makes the batching of heartbeats. */
export function createHeartbeats(
  context: Pick<Context, "db" | "encodeChanged" | "storage" | "sourceUrlSeconds">,
): Heartbeats {
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;

  function renew(renewal: Renewal): Promise<Renewed | undefined> {
    return new Promise((resolve, reject) => {
      waiting.push({ renewal, resolve, reject });
      if (waiting.length >= batch) void flush();
      else timer ??= setTimeout(() => void flush(), gatherMs);
    });
  }

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const together = waiting;
    waiting = [];
    if (together.length === 0) return;
    try {
      // The last report of a lease counts, should it be there twice. In one order, so that two replicas don't wait for each other.
      const latest = new Map(together.map(({ renewal }) => [keyOf(renewal), renewal]));
      const renewals = [...latest.values()].sort((a, b) => (a.taskId < b.taskId ? -1 : 1));
      const held = new Map((await renewLeases(context.db, renewals, leaseSeconds)).map((one) => [keyOf(one), one]));
      for (const { renewal, resolve } of together) resolve(held.get(keyOf(renewal)));
      for (const encodeId of new Set([...held.values()].map((one) => one.encodeId)))
        context.encodeChanged.notify(encodeId);
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  }

  async function newAddress({ taskId }: Lease): Promise<string | undefined> {
    const found = await findTaskAndEncode(context.db, taskId);
    return found && (await signSource(context, found.encode.videoId));
  }

  return {
    async beat(lease, progress) {
      const renewed = await renew({ ...lease, ...progress });
      if (renewed !== undefined) {
        const sourceUrl = isNewAddressDue(context, renewed.leasedForSeconds) ? await newAddress(lease) : undefined;
        return { proceed: true, leaseExpires: renewed.expires, sourceUrl };
      }
      const standing = leaseStanding(await findTask(context.db, lease.taskId), lease.attempt);
      if (standing === "cancelled") return { proceed: false };
      // A heartbeat that was under way while the task was completed, or a lease that began between our two questions.
      if (standing === "completed" || standing === "held") return { proceed: true };
      throw leaseGone(standing);
    },
  };
}

const keyOf = ({ taskId, attempt }: Lease) => `${taskId} ${attempt}`;
