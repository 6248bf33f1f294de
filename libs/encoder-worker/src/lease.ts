import { setTimeout as sleep } from "node:timers/promises";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { Directive, type Lease, type WorkerService } from "@kinora/proto-encoder";
import type { Logger } from "@kinora/rpc";
import { backoffMs } from "./backoff.ts";
import { isTransient, retry, retryBackoff } from "./retry.ts";
import { TaskStopped } from "./stop-reason.ts";

/** How far the work on a task is, as heartbeats report it. */
export type LeaseProgress = { frames: number; fraction: number; speed: number };

type LeaseDeps = { client: Client<typeof WorkerService>; lease: Lease; giveUpMs: number; logger: Logger };

/** Deadline of a heartbeat, in milliseconds: a lost one must leave time for others before the lease ends. */
const heartbeatTimeoutMs = 5_000;
/** Deadline of other calls, in milliseconds: to complete an encode, the encoder looks at every file and writes the playlists. */
const callTimeoutMs = 60_000;

/**
 * Keeps a lease by heartbeats until `signal` ends it (resolves) or the work must stop (throws `TaskStopped`). While the encoder
 * can't be reached, goes on for `giveUpMs`: the lease may outlive a restart, and fencing keeps a lost one from doing harm.
 */
export async function keepLease(
  deps: LeaseDeps & {
    intervalMs: number;
    progress: () => LeaseProgress;
    /** Told the source's new address when the one in use ends soon. */
    onSource: (url: string) => void;
    signal: AbortSignal;
  },
): Promise<void> {
  const { client, lease, intervalMs, giveUpMs, progress, onSource, signal, logger } = deps;
  let lastAnswer = performance.now();
  let failures = 0;
  while (!signal.aborted) {
    await sleep(failures > 0 ? backoffMs(failures, { ...retryBackoff, maxMs: 2_000 }) : intervalMs, undefined, {
      signal,
    }).catch(() => {});
    if (signal.aborted) {
      return;
    }
    try {
      const { frames, fraction, speed } = progress();
      const answer = await client.heartbeat(
        {
          lease,
          frames: BigInt(Math.trunc(sound(frames))),
          fraction: Math.min(1, sound(fraction)),
          speed: sound(speed),
        },
        { signal, timeoutMs: heartbeatTimeoutMs },
      );
      if (answer.directive === Directive.CANCEL) {
        throw new TaskStopped("cancelled");
      }
      if (answer.sourceUrl !== "") onSource(answer.sourceUrl);
      lastAnswer = performance.now();
      failures = 0;
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      if (error instanceof TaskStopped) {
        throw error;
      }
      if (!isTransient(error)) {
        throw new TaskStopped("lost", { cause: error });
      }
      if (failures === 0) {
        logger.warn({ reason: ConnectError.from(error).rawMessage }, "a heartbeat failed; trying again");
      }
      failures++;
      if (performance.now() - lastAnswer > giveUpMs) {
        throw new TaskStopped("unreachable", { cause: error });
      }
    }
  }
}

/** Makes a call under a lease, again and again while the encoder is away. Throws `TaskStopped` when the lease is lost. */
export async function callUnderLease<T>(
  deps: LeaseDeps & { signal: AbortSignal },
  call: (client: Client<typeof WorkerService>, options: { signal: AbortSignal; timeoutMs: number }) => Promise<T>,
): Promise<T> {
  const { client, giveUpMs, signal } = deps;
  try {
    return await retry(() => call(client, { signal, timeoutMs: callTimeoutMs }), { signal, giveUpMs });
  } catch (error) {
    signal.throwIfAborted();
    throw leaseIsGone(error) ? new TaskStopped("lost", { cause: error }) : error;
  }
}

/** Whether an answer says that the task belongs to another attempt, or exists no more. */
function leaseIsGone(error: unknown): boolean {
  const { code } = ConnectError.from(error);
  return code === Code.Aborted || code === Code.NotFound;
}

/** A figure as the contract takes it: one that it doesn't take would cost the lease. */
const sound = (figure: number) => (Number.isFinite(figure) ? Math.max(0, figure) : 0);
