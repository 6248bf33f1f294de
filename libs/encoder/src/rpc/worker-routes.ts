import { durationMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Directive, FailureKind, type Lease as LeaseMessage, TaskKind, WorkerService } from "@kinora/proto-encoder";
import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { cleanText } from "../domain/clean-text.ts";
import { type TaskKind as Kind, queuesOf } from "../domain/task-kind.ts";
import { completeAnalysis } from "../worker/complete-analysis.ts";
import { addSegments, completeAudio } from "../worker/complete-audio.ts";
import { completeChunk } from "../worker/complete-chunk.ts";
import { completeImages } from "../worker/complete-images.ts";
import { completeProbe } from "../worker/complete-probe.ts";
import { completeTrial } from "../worker/complete-trial.ts";
import { completeVerification } from "../worker/complete-verification.ts";
import { completeEncode } from "../worker/complete-whole-encode.ts";
import { createUploads } from "../worker/create-uploads.ts";
import type { Dispatcher } from "../worker/dispatcher.ts";
import { type Failure, reportFailure } from "../worker/fail-task.ts";
import type { FleetRegister } from "../worker/fleet-register.ts";
import type { Heartbeats } from "../worker/heartbeats.ts";
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

/** Kinds of a later release are passed over: a worker may know more than we do. */
const kindOf: Partial<Record<TaskKind, Kind>> = {
  [TaskKind.PROBE]: "probe",
  [TaskKind.ENCODE]: "encode",
  [TaskKind.ANALYSE]: "analyse",
  [TaskKind.ENCODE_CHUNK]: "encode_chunk",
  [TaskKind.AUDIO]: "audio",
  [TaskKind.IMAGES]: "images",
  [TaskKind.TRIAL]: "trial",
  [TaskKind.VERIFY]: "verify",
};

/** What the handlers need beside the context. */
export type WorkerRoutesDeps = { dispatcher: Dispatcher; heartbeats: Heartbeats; fleet: FleetRegister };

/** The handlers of encoder.v1.WorkerService. */
export function workerRoutes(
  router: ConnectRouter,
  context: Context,
  { dispatcher, heartbeats, fleet }: WorkerRoutesDeps,
): void {
  router.service(WorkerService, {
    async leaseTask({ workerId, encoders, kinds, slots, cores, memoryBytes, wait }, call) {
      if (kinds.length === 0) {
        throw new DomainError(
          "failed_precondition",
          "This worker is older than the encoder, which gives work in smaller parts now. Update the worker.",
        );
      }
      const id = cleanText(workerId, 200);
      const known = kinds.flatMap((kind) => kindOf[kind] ?? []);
      const queues = queuesOf(known, encoders);
      const families = encoders.map((family) => cleanText(family, 50));
      fleet.note({ id, slots: Math.max(1, slots), cores, memoryBytes: Number(memoryBytes), encoders: families });
      const asked = Math.min(wait ? Math.max(0, durationMs(wait)) : 0, maxWaitMs);
      const ms = Math.min(asked, Math.max(0, (call.timeoutMs() ?? maxWaitMs) - beforeDeadlineMs));
      const leased = await dispatcher.lease(id, queues, ms, call.signal);
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
      const { proceed, leaseExpires, sourceUrl } = await heartbeats.beat(leaseOf(lease), progress);
      return {
        directive: proceed ? Directive.CONTINUE : Directive.CANCEL,
        ...(leaseExpires && { leaseExpireTime: timestampFromDate(leaseExpires) }),
        ...(sourceUrl && { sourceUrl }),
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

    async addSegments({ lease, track }, call) {
      if (track === undefined) throw new DomainError("invalid", "State the track.");
      await addSegments(context, leaseOf(lease), track, call.signal);
      return {};
    },

    async completeTask({ lease: claim, result }, call) {
      const lease = leaseOf(claim);
      const { signal } = call;
      switch (result.case) {
        case "probe":
          await completeProbe(context, lease, result.value, signal);
          break;
        case "encode":
          await completeEncode(context, lease, result.value);
          break;
        case "analyse":
          await completeAnalysis(context, lease, result.value, signal);
          break;
        case "encodeChunk":
          await completeChunk(context, lease, result.value, signal);
          break;
        case "audio":
          await completeAudio(context, lease, result.value, signal);
          break;
        case "images":
          await completeImages(context, lease, result.value, signal);
          break;
        case "trial":
          await completeTrial(context, lease, result.value, signal);
          break;
        case "verify":
          await completeVerification(context, lease, result.value, signal);
          break;
        default:
          throw new DomainError("invalid", "The encoder can't take a result of this kind.");
      }
      return {};
    },

    async failTask({ lease, kind, message, crashed }, call) {
      const failure = { kind: failureKinds[kind] ?? "machine", message: cleanText(message, 2000), crashed };
      await reportFailure(context, leaseOf(lease), failure, call.signal);
      return {};
    },
  });
}

function leaseOf(lease: LeaseMessage | undefined): Lease {
  if (lease === undefined) throw new DomainError("invalid", "State the lease.");
  return { taskId: lease.taskId, attempt: lease.attempt };
}
