import { durationMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Directive, FailureKind, type Lease as LeaseMessage, WorkerService } from "@kinora/proto-encoder";
import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { cleanText } from "../domain/clean-text.ts";
import { encoderFamilies, taskQueue } from "../queue/queue.ts";
import { completeEncode, completeProbe } from "../worker/complete-task.ts";
import { createUploads } from "../worker/create-uploads.ts";
import type { Dispatcher } from "../worker/dispatcher.ts";
import { type Failure, reportFailure } from "../worker/fail-task.ts";
import { heartbeat } from "../worker/heartbeat.ts";
import { describeTask } from "../worker/lease-task.ts";
import type { Lease } from "../worker/locked-task.ts";

/** Longest wait for a task, in milliseconds. */
const maxWaitMs = 30_000;
/** An answer leaves this long before the caller's deadline, in milliseconds: a task whose answer comes too late would be lost for a while. */
const beforeDeadlineMs = 500;

const failureKinds: Readonly<Record<FailureKind, Failure["kind"]>> = {
  [FailureKind.UNSPECIFIED]: "machine",
  [FailureKind.INPUT]: "input",
  [FailureKind.MACHINE]: "machine",
  [FailureKind.RETURNED]: "returned",
};

/** The handlers of encoder.v1.WorkerService. */
export function workerRoutes(router: ConnectRouter, context: Context, dispatcher: Dispatcher): void {
  router.service(WorkerService, {
    async leaseTask({ workerId, encoders, wait }, call) {
      const queues = encoderFamilies.filter((family) => encoders.includes(family)).map(taskQueue);
      const asked = Math.min(wait ? Math.max(0, durationMs(wait)) : 0, maxWaitMs);
      const ms = Math.min(asked, Math.max(0, (call.timeoutMs() ?? maxWaitMs) - beforeDeadlineMs));
      const leased = await dispatcher.lease(cleanText(workerId, 200), queues, ms, call.signal);
      if (leased === undefined) return {};
      try {
        const task = await describeTask(context, leased);
        return { ...(task && { task }) };
      } catch (error) {
        await dispatcher.giveBack(leased);
        throw error;
      }
    },

    async heartbeat({ lease, frames, fraction, speed }) {
      const progress = { frames: Number(frames), fraction, speed: Number.isFinite(speed) ? speed : 0 };
      const { proceed, leaseExpires } = await heartbeat(context, leaseOf(lease), progress);
      return {
        directive: proceed ? Directive.CONTINUE : Directive.CANCEL,
        ...(leaseExpires && { leaseExpireTime: timestampFromDate(leaseExpires) }),
      };
    },

    async createUploads({ lease, paths, files }) {
      // Workers that state lengths name the same files in `paths`, for encoders that don't know of lengths.
      if (files.length > 0) {
        const stated = files.map(({ path, bytes }) => ({ path, bytes: Number(bytes) }));
        return { uploads: await createUploads(context, leaseOf(lease), stated) };
      }
      if (paths.length === 0) throw new DomainError("invalid", "Name the files to write.");
      const uploads = await createUploads(
        context,
        leaseOf(lease),
        paths.map((path) => ({ path })),
      );
      return { urls: uploads.map(({ url }) => url) };
    },

    async completeTask({ lease, result }, call) {
      if (result.case === "probe") await completeProbe(context, leaseOf(lease), result.value, call.signal);
      else if (result.case === "encode") await completeEncode(context, leaseOf(lease), result.value);
      return {};
    },

    async failTask({ lease, kind, message }, call) {
      const failure = { kind: failureKinds[kind] ?? "machine", message: cleanText(message, 2000) };
      await reportFailure(context, leaseOf(lease), failure, call.signal);
      return {};
    },
  });
}

function leaseOf(lease: LeaseMessage | undefined): Lease {
  if (lease === undefined) throw new DomainError("invalid", "State the lease.");
  return { taskId: lease.taskId, attempt: lease.attempt };
}
